using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Access;

/// <summary>Cross-origin requests of browsers (CORS), in one process.</summary>
public sealed class CrossOriginTests : IDisposable
{
    private const string Origin = "https://app.example";

    private readonly Gateway _gateway = new Gateway().With("Cors:AllowedOrigins:0", Origin).With("Cors:AllowedOrigins:1", "http://localhost:3000");

    public CrossOriginTests() => _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.CompletedAs(request.RequestUri!.Segments[^1]))));

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("GET", "/generations/g1", "authorization")]
    [InlineData("POST", "/generations/g1/ticket", "x-api-key,content-type")]
    [InlineData("DELETE", "/luma/generations/g1", "authorization,x-request-id")]
    public async Task A_preflight_request_of_an_allowed_origin_gets_its_response_without_a_key(string method, string path, string headers)
    {
        using var client = _gateway.CreateCallerWithoutKey();

        using var response = await SendAsync(client, HttpMethod.Options, path, Origin, ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers));

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(Origin, response.Header("Access-Control-Allow-Origin"));
        Assert.Contains(method, response.Header("Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Equal(headers, response.Header("Access-Control-Allow-Headers"));
        Assert.Equal("600", response.Header("Access-Control-Max-Age"));
        Assert.Equal("", response.Header("Access-Control-Allow-Credentials"));
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task An_allowed_origin_can_read_the_response_and_its_headers_from_memory_too()
    {
        using var caller = _gateway.CreateCaller();

        using var miss = await SendAsync(caller, HttpMethod.Get, "/generations/g1", Origin);
        using var hit = await SendAsync(caller, HttpMethod.Get, "/generations/g1", "http://localhost:3000");

        Assert.Equal(Origin, miss.Header("Access-Control-Allow-Origin"));
        Assert.Equal("http://localhost:3000", hit.Header("Access-Control-Allow-Origin"));
        Assert.Contains("hit", hit.Header("Cache-Status"), StringComparison.Ordinal);
        foreach (var response in new[] { miss, hit })
        {
            Assert.Equal("Origin", response.Header("Vary"));
            var exposed = response.Header("Access-Control-Expose-Headers").Split(',');
            Assert.Superset(new HashSet<string>(["ETag", "Cache-Status", "Retry-After", "X-Request-Id", "Preference-Applied", "Location"]), exposed.ToHashSet());
        }
    }

    [Fact]
    public async Task An_allowed_origin_can_read_problems()
    {
        using var client = _gateway.CreateCallerWithoutKey();
        using var caller = _gateway.CreateCaller();

        using var refused = await SendAsync(client, HttpMethod.Get, "/generations/g1", Origin);
        using var invalid = await SendAsync(caller, HttpMethod.Get, "/generations/bad%20id", Origin);
        using var unknown = await SendAsync(caller, HttpMethod.Get, "/nowhere", Origin);

        await refused.ProblemAsync(401, "unauthenticated");
        await invalid.ProblemAsync(400, "invalid_id");
        await unknown.ProblemAsync(404, "not_found");
        Assert.All([refused, invalid, unknown], response => Assert.Equal(Origin, response.Header("Access-Control-Allow-Origin")));
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("https://app.example.evil.example")]
    [InlineData("http://app.example")]
    [InlineData("https://app.example:8443")]
    [InlineData("https://APP.example")]
    [InlineData("null")]
    public async Task Another_origin_gets_no_CORS_headers(string origin)
    {
        using var caller = _gateway.CreateCaller();

        using var preflight = await SendAsync(caller, HttpMethod.Options, "/generations/g1", origin, ("Access-Control-Request-Method", "GET"));
        using var read = await SendAsync(caller, HttpMethod.Get, "/generations/g1", origin);

        Assert.Equal("Origin", read.Header("Vary"));
        Assert.All([preflight, read], response => Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public async Task A_response_to_a_request_without_an_origin_has_Vary_Origin()
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("Origin", response.Header("Vary"));
        Assert.Equal("", response.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Without_allowed_origins_there_is_no_CORS_and_OPTIONS_has_the_allowed_methods()
    {
        using var gateway = new Gateway();
        gateway.Upstream.AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = gateway.CreateCaller();

        using var preflight = await SendAsync(caller, HttpMethod.Options, "/generations/g1", Origin, ("Access-Control-Request-Method", "GET"));
        using var read = await SendAsync(caller, HttpMethod.Get, "/generations/g1", Origin);

        Assert.Contains("GET", preflight.Header("Allow"), StringComparison.Ordinal);
        Assert.All([preflight, read], response => Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase) || header.Key is "Vary"));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("https://*.example")]
    [InlineData("https://app.example/")]
    [InlineData("https://app.example/path")]
    [InlineData("https://app.example:443")]
    [InlineData("https://App.example")]
    [InlineData("https://user@app.example")]
    [InlineData("https://bücher.example")]
    [InlineData("app.example")]
    [InlineData("ftp://app.example")]
    [InlineData("null")]
    [InlineData("https://one.example,https://two.example")]
    public void An_invalid_origin_stops_the_start_and_its_key_is_named(string origin)
    {
        using var gateway = new Gateway().With("Cors:AllowedOrigins:0", "https://app.example").With("Cors:AllowedOrigins:1", origin);

        Assert.ThrowsAny<Exception>(gateway.CreateCaller);

        Assert.StartsWith("Cors:AllowedOrigins:1 must be one origin", Assert.Single(gateway.StartFaults), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, string origin, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
