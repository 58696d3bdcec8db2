using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Tests.Shared;

/// <summary>An issuer of JWTs on a loopback port, with a discovery document, a key set and key rotation.</summary>
internal sealed class Issuer : IAsyncDisposable
{
    public const string Audience = "luma-gateway";

    /// <summary>Three key pairs for all tests of the process, because generating one takes up to a second.</summary>
    private static readonly Lazy<RSAParameters>[] Pairs = [.. Enumerable.Range(0, 3).Select(_ => new Lazy<RSAParameters>(() =>
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportParameters(includePrivateParameters: true);
    }))];

    private readonly Loopback _server;
    private readonly List<RsaSecurityKey> _published = [];

    private Issuer(Loopback server) => _server = server;

    public string Address => _server.Address;

    public RsaSecurityKey Key { get; private set; } = KeyOf(Pairs[0], "first");

    public static async Task<Issuer> StartAsync()
    {
        var issuer = default(Issuer);
        issuer = new Issuer(await Loopback.StartAsync(context => issuer!.RespondAsync(context)));
        issuer._published.Add(issuer.Key);
        return issuer;
    }

    /// <summary>A key that is not in the key set.</summary>
    public static RsaSecurityKey ForeignKey(string id) => KeyOf(Pairs[2], id);

    /// <summary>Replaces the signing key and the published key.</summary>
    public void RotateKey()
    {
        Key = KeyOf(Pairs[1], "second");
        _published.Clear();
        _published.Add(Key);
    }

    public string Sign(
        DateTimeOffset now, string? issuer = null, string audience = Audience, TimeSpan? life = null, SigningCredentials? credentials = null, params (string Name, object Value)[] claims)
    {
        var end = now + (life ?? TimeSpan.FromMinutes(5));
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Address,
            Audience = audience,
            NotBefore = (end < now ? end : now).AddMinutes(-10).UtcDateTime,
            Expires = end.UtcDateTime,
            Claims = claims.ToDictionary(claim => claim.Name, claim => claim.Value),
            SigningCredentials = credentials ?? new SigningCredentials(Key, SecurityAlgorithms.RsaSha256),
        });
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private static RsaSecurityKey KeyOf(Lazy<RSAParameters> pair, string id) => new(RSA.Create(pair.Value)) { KeyId = id };

    private async Task RespondAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(
            context.Request.Path.Value switch
            {
                "/.well-known/openid-configuration" => JsonSerializer.Serialize(new { issuer = Address, jwks_uri = $"{Address}/keys" }),
                "/keys" => JsonSerializer.Serialize(new { keys = _published.Select(Public) }),
                _ => throw new InvalidOperationException($"Unexpected request for {context.Request.Path}."),
            },
            context.RequestAborted);
    }

    private static object Public(RsaSecurityKey key)
    {
        var numbers = key.Rsa.ExportParameters(includePrivateParameters: false);
        return new { kty = "RSA", use = "sig", alg = "RS256", kid = key.KeyId, n = Base64UrlEncoder.Encode(numbers.Modulus), e = Base64UrlEncoder.Encode(numbers.Exponent) };
    }
}
