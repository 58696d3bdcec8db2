using System.Net;
using System.Text;
using LumaGateway.Tests.Support;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Tests.Access;

/// <summary>JWTs that are validated with the key set of an issuer.</summary>
public sealed class JwtTests : IAsyncLifetime
{
    private static readonly (string Name, object Value)[] Reader = [("client_id", "robot"), ("scope", "openid read")];

    private readonly Gateway _gateway = new();
    private Issuer _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await Issuer.StartAsync();
        _gateway.With("Access:Jwt:Authority", _issuer.Address).With("Access:Jwt:Audience", Issuer.Audience);
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_token_of_the_issuer_has_exactly_the_permissions_that_it_lists()
    {
        var token = _issuer.Sign(Now, claims: Reader);

        using var read = await SendGetAsync(token);
        using var raw = await SendGetAsync(token, "/luma/generations/g1");

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        await raw.ProblemAsync(403, "forbidden");
    }

    [Fact]
    public async Task Permissions_can_be_an_array_and_claims_can_have_other_names()
    {
        _gateway.With("Access:Jwt:ClientNameClaim", "azp").With("Access:Jwt:RightsClaim", "roles");

        using var response = await SendGetAsync(_issuer.Sign(Now, claims: [("azp", "robot"), ("roles", new[] { "read", "assets" })]));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_token_that_lists_no_permission_has_none()
    {
        using var response = await SendGetAsync(_issuer.Sign(Now, claims: ("client_id", "robot")));

        await response.ProblemAsync(403, "forbidden");
    }

    [Fact]
    public async Task A_key_is_still_valid()
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public Task An_expired_token_is_refused() => AssertRefusedAsync(_issuer.Sign(Now, life: TimeSpan.FromMinutes(-1), claims: Reader));

    [Fact]
    public async Task A_token_is_valid_until_it_expires()
    {
        var token = _issuer.Sign(Now, life: TimeSpan.FromMinutes(5), claims: Reader);
        using var before = await SendGetAsync(token);

        _gateway.Clock.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        await AssertRefusedAsync(token);
    }

    [Fact]
    public Task A_token_for_another_audience_is_refused() => AssertRefusedAsync(_issuer.Sign(Now, audience: "another-service", claims: Reader));

    [Fact]
    public Task A_token_of_another_issuer_is_refused() => AssertRefusedAsync(_issuer.Sign(Now, issuer: "https://elsewhere.test", claims: Reader));

    [Fact]
    public Task A_token_without_a_signature_is_refused()
    {
        var parts = _issuer.Sign(Now, claims: Reader).Split('.');
        return AssertRefusedAsync($"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.");
    }

    [Fact]
    public Task A_token_with_the_signature_of_another_key_is_refused() => AssertRefusedAsync(
        _issuer.Sign(Now, credentials: new SigningCredentials(Issuer.ForeignKey("first"), SecurityAlgorithms.RsaSha256), claims: Reader));

    [Fact]
    public Task A_token_signed_with_an_unpublished_key_is_refused() => AssertRefusedAsync(
        _issuer.Sign(Now, credentials: new SigningCredentials(Issuer.ForeignKey("unpublished"), SecurityAlgorithms.RsaSha256), claims: Reader));

    [Fact]
    public Task A_token_with_the_public_key_as_HMAC_secret_is_refused()
    {
        var secret = new SymmetricSecurityKey(Encoding.UTF8.GetBytes(_issuer.Key.Rsa.ExportRSAPublicKeyPem())) { KeyId = "first" };
        return AssertRefusedAsync(_issuer.Sign(Now, credentials: new SigningCredentials(secret, SecurityAlgorithms.HmacSha256), claims: Reader));
    }

    [Fact]
    public Task An_altered_token_is_refused()
    {
        var parts = _issuer.Sign(Now, claims: Reader).Split('.');
        var payload = Base64UrlEncoder.Decode(parts[1]).Replace("openid read", "read raw create", StringComparison.Ordinal);
        return AssertRefusedAsync($"{parts[0]}.{Base64UrlEncoder.Encode(payload)}.{parts[2]}");
    }

    [Theory]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("eyJhbGciOiJub25lIn0..")]
    public Task A_malformed_token_is_refused(string token) => AssertRefusedAsync(token);

    [Theory]
    [InlineData("client_id", "two\nlines")]
    [InlineData("client_id", "")]
    [InlineData("sub", "robot")]
    public Task A_token_without_a_valid_client_name_is_refused(string claim, string name) => AssertRefusedAsync(_issuer.Sign(Now, claims: [(claim, name), ("scope", "read")]));

    [Fact]
    public async Task A_new_key_of_the_issuer_is_fetched_for_the_first_token_signed_with_it()
    {
        using var before = await SendGetAsync(_issuer.Sign(Now, claims: Reader));
        var old = _issuer.Key;

        _issuer.RotateKey();

        await Poll.UntilAsync(async () =>
        {
            using var after = await SendGetAsync(_issuer.Sign(Now, claims: Reader));
            return after.StatusCode is HttpStatusCode.OK;
        });
        await AssertRefusedAsync(_issuer.Sign(Now, credentials: new SigningCredentials(Issuer.ForeignKey(old.KeyId), SecurityAlgorithms.RsaSha256), claims: Reader));
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
    }

    [Fact]
    public async Task An_unreachable_issuer_causes_503_and_a_warning()
    {
        var token = _issuer.Sign(Now, claims: Reader);
        await _issuer.DisposeAsync();

        using var response = await SendGetAsync(token);

        await response.ProblemAsync(503, "issuer_unavailable");
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1022);
        Assert.DoesNotContain(_gateway.Logs.GetSnapshot(), record => record.Message.Contains(token, StringComparison.Ordinal));
    }

    private DateTimeOffset Now => _gateway.Clock.GetUtcNow();

    private async Task AssertRefusedAsync(string token)
    {
        using var response = await SendGetAsync(token);
        await response.ProblemAsync(401, "unauthenticated");
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011 && record.Message.Contains("InvalidToken", StringComparison.Ordinal));
    }

    private async Task<HttpResponseMessage> SendGetAsync(string token, string path = "/generations/g1")
    {
        using var client = _gateway.CreateCallerWithoutKey();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        return await client.SendGetAsync(path);
    }
}
