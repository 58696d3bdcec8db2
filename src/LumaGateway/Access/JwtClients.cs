using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Access;

/// <summary>
/// Clients by JWT of the configured issuer. Tokens are checked with JwtBearer's own options, key set and token handlers, but without its
/// middleware, which every request with a key would have to pay for. Thread-safe.
/// </summary>
internal sealed partial class JwtClients
{
    private const int MaxTokenLength = 8 * 1024;

    private readonly JwtBearerOptions _bearer;
    private readonly JwtOptions _jwt;
    private readonly Allowances _allowances;
    private readonly ILogger<JwtClients> _logger;
    private readonly TokenValidationParameters? _parameters;

    public JwtClients(IOptionsMonitor<JwtBearerOptions> bearer, IOptions<AccessOptions> access, Allowances allowances, ILogger<JwtClients> logger)
    {
        (_bearer, _jwt, _allowances, _logger) = (bearer.Get(JwtBearerDefaults.AuthenticationScheme), access.Value.Jwt, allowances, logger);
        if (_jwt.IsConfigured)
        {
            _parameters = _bearer.TokenValidationParameters.Clone();
            _parameters.ConfigurationManager = (BaseConfigurationManager)_bearer.ConfigurationManager!;
        }
    }

    /// <summary>Whether a bearer credential has the form of a signed JWT, and an issuer is configured. Client keys hold no dot.</summary>
    public bool MayBeToken(ReadOnlySpan<char> credential) => _parameters is not null && credential.Count('.') == 2;

    /// <summary>Null where the token is not to be believed, or names no client.</summary>
    public async ValueTask<Client?> FindAsync(string token)
    {
        if (token.Length > MaxTokenLength)
        {
            return null;
        }

        try
        {
            // Asked for first, so that an issuer out of reach is told from a token that is wrong. Kept for long, and by the token handler too.
            await _bearer.ConfigurationManager!.GetConfigurationAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            Log.NotCheckable(_logger);
            return null;
        }

        var result = await _bearer.TokenHandlers[0].ValidateTokenAsync(token, _parameters);
        if (result.IsValid)
        {
            return ClientOf((JsonWebToken)result.SecurityToken);
        }

        // The exception's own text may hold parts of the token.
        Log.NotBelieved(_logger, result.Exception?.GetType().Name ?? "unknown");
        return null;
    }

    private Client? ClientOf(JsonWebToken token)
    {
        if (!token.TryGetPayloadValue<string>(_jwt.ClientNameClaim, out var name) || !NamePattern().IsMatch(name))
        {
            Log.NotBelieved(_logger, "NoClientName");
            return null;
        }

        var rights = token.Claims
            .Where(claim => claim.Type == _jwt.RightsClaim)
            .SelectMany(claim => claim.Value.Split(' '))
            .Aggregate(Rights.None, (rights, word) => RightNames.TryParse(word, out var right) ? rights | right : rights);
        name = Client.JwtPrefix + name;
        return new Client(name, rights, _allowances.Of(name));
    }

    [GeneratedRegex(@"\A[A-Za-z0-9._@:/|-]{1,128}\z")]
    private static partial Regex NamePattern();

    private static partial class Log
    {
        [LoggerMessage(1021, LogLevel.Debug, "A JWT was not believed: {Reason}.")]
        public static partial void NotBelieved(ILogger logger, string reason);

        [LoggerMessage(1022, LogLevel.Warning, "A JWT could not be checked and was refused; are the keys of Access:Jwt:Authority within reach?")]
        public static partial void NotCheckable(ILogger logger);
    }
}
