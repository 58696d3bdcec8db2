using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Tests.Support;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Tests.Access;

/// <summary>Tokens with malformed or unexpected JSON, including tokens with a valid signature.</summary>
public sealed class MalformedJwtTests : IAsyncLifetime
{
    private const string Header = """{"alg":"RS256","typ":"JWT","kid":"first"}""";

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

    [Theory]
    [InlineData("\"robot\"", "\"read\"", 200)]
    [InlineData("null", "\"read\"", 401)]
    [InlineData("1", "\"read\"", 200)]
    [InlineData("[]", "\"read\"", 401)]
    [InlineData("[\"robot\"]", "\"read\"", 401)]
    [InlineData("[null]", "\"read\"", 401)]
    [InlineData("{}", "\"read\"", 401)]
    [InlineData("{\"a\":null}", "\"read\"", 401)]
    [InlineData("\"\"", "\"read\"", 401)]
    [InlineData("\"\\ud800\"", "\"read\"", 401)]
    [InlineData("true", "\"read\"", 200)]
    [InlineData("1e400", "\"read\"", 200)]
    [InlineData("\"robot\"", "null", 403)]
    [InlineData("\"robot\"", "[null,\"read\"]", 200)]
    [InlineData("\"robot\"", "[[\"read\"],{\"a\":1},2]", 403)]
    [InlineData("\"robot\"", "{\"read\":true}", 403)]
    [InlineData("\"robot\"", "\"\\udc00 read\"", 401)]
    [InlineData("\"robot\"", "true", 403)]
    public async Task A_claim_of_the_wrong_type_causes_no_internal_error(string name, string rights, int status)
    {
        var token = Sign(Header, Payload($"\"client_id\":{name},\"scope\":{rights}"));

        using var response = await SendGetAsync(token);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData("\"exp\":\"never\"")]
    [InlineData("\"exp\":null")]
    [InlineData("\"exp\":1e300")]
    [InlineData("\"exp\":-1")]
    [InlineData("\"nbf\":{}")]
    [InlineData("\"aud\":null")]
    [InlineData("\"aud\":[null]")]
    [InlineData("\"aud\":{}")]
    [InlineData("\"iss\":null")]
    [InlineData("\"iss\":[\"a\"]")]
    [InlineData("\"iss\":\"\\ud800\"")]
    [InlineData("\"\\ud800\":1")]
    public async Task A_registered_claim_of_the_wrong_type_causes_no_internal_error(string claim)
    {
        var token = Sign(Header, Payload($"\"client_id\":\"robot\",\"scope\":\"read\",{claim}"));

        using var response = await SendGetAsync(token);

        Assert.InRange((int)response.StatusCode, 200, 403);
    }

    [Theory]
    [InlineData("""{"alg":"RS256","kid":"first","crit":["exp"]}""")]
    [InlineData("""{"alg":"RS256","kid":"first","crit":["b64"],"b64":true}""")]
    [InlineData("""{"alg":"RS256","kid":"first","crit":["urn:example:only-inside"],"urn:example:only-inside":true}""")]
    [InlineData("""{"alg":"RS256","kid":"first","crit":[]}""")]
    [InlineData("""{"alg":"RS256","kid":"first","crit":null}""")]
    [InlineData("""{"alg":"RS256","kid":"first","crit":"exp"}""")]
    public async Task A_token_with_a_critical_header_is_refused(string header)
    {
        using var response = await SendGetAsync(Sign(header, Payload("\"client_id\":\"robot\",\"scope\":\"read\"")));

        await response.ProblemAsync(401, "unauthenticated");
    }

    [Theory]
    [InlineData("""{"alg":"RS256","kid":"\ud800"}""")]
    [InlineData("""{"alg":"\udc00","kid":"first"}""")]
    [InlineData("""{"alg":"RS256","\ud800":1}""")]
    [InlineData("""{"alg":null}""")]
    [InlineData("""{"alg":["RS256"],"kid":{}}""")]
    [InlineData("""["RS256"]""")]
    [InlineData("null")]
    [InlineData("")]
    public async Task A_malformed_header_is_refused(string header)
    {
        using var response = await SendGetAsync(Sign(header, Payload("\"client_id\":\"robot\",\"scope\":\"read\"")));

        await response.ProblemAsync(401, "unauthenticated");
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("\"text\"")]
    [InlineData("{")]
    [InlineData("")]
    public async Task A_malformed_payload_is_refused(string payload)
    {
        using var response = await SendGetAsync(Sign(Header, payload));

        await response.ProblemAsync(401, "unauthenticated");
    }

    private string Payload(string claims) => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"iss":"{{_issuer.Address}}","aud":"{{Issuer.Audience}}","exp":{{_gateway.Clock.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()}},{{claims}}}""");

    /// <summary>Signs header and payload without checking them.</summary>
    private string Sign(string header, string payload)
    {
        var signed = $"{Base64UrlEncoder.Encode(header)}.{Base64UrlEncoder.Encode(payload)}";
        return $"{signed}.{Base64UrlEncoder.Encode(_issuer.Key.Rsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    private async Task<HttpResponseMessage> SendGetAsync(string token)
    {
        using var caller = _gateway.CreateCallerWithoutKey();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
