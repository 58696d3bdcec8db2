using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

public sealed class HeaderTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("/generations/good")]
    [InlineData("/generations/bad%20id")]
    [InlineData("/generations/unknown")]
    [InlineData("/nowhere")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/swagger/index.html")]
    [InlineData("/swagger/swagger-ui.css")]
    [InlineData("/swagger/swagger-ui-bundle.js")]
    public async Task Every_response_has_the_security_headers_and_forbids_shared_caching(string path)
    {
        _gateway.Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.AbsolutePath.EndsWith("good", StringComparison.Ordinal)
            ? ScriptedUpstream.Json(Samples.CompletedAs("good"))
            : ScriptedUpstream.Json("{}", HttpStatusCode.NotFound)));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync(path);

        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", response.Header("Referrer-Policy"));
        Assert.Contains("default-src 'none'", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Matches("no-store|private", response.Header("Cache-Control"));
        Assert.DoesNotMatch("public|s-maxage", response.Header("Cache-Control"));
        Assert.Equal("", response.Header("Server"));
        Assert.Equal("", response.Header("X-Powered-By"));
    }

    [Fact]
    public async Task A_response_to_a_request_without_a_key_has_the_security_headers()
    {
        using var client = _gateway.CreateCallerWithoutKey();

        using var response = await client.SendGetAsync("/generations/g1");

        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
        Assert.Equal("no-store", response.Header("Cache-Control"));
    }

    [Theory]
    [InlineData("public, s-maxage=60", "private, no-cache")]
    [InlineData("", "private, no-cache")]
    [InlineData("no-store", "no-store")]
    public async Task A_forwarded_response_forbids_shared_caching(string sent, string forwarded)
    {
        await using var upstream = await Loopback.StartAsync(context =>
        {
            context.Response.Headers.CacheControl = sent;
            context.Response.Headers["X-Internal"] = "upstream's own";
            context.Response.Cookies.Append("session", "upstream's own");
            return Task.CompletedTask;
        });
        _gateway.WithUpstream(upstream.Address);
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/luma/generations/g1");

        Assert.Equal(forwarded, response.Header("Cache-Control"));
        Assert.Equal("nosniff", response.Header("X-Content-Type-Options"));
        Assert.Equal("", response.Header("X-Internal") + response.Header("Set-Cookie"));
    }

    [Fact]
    public async Task Swagger_can_be_switched_off()
    {
        _gateway.With("Swagger:Enabled", "false");
        using var client = _gateway.CreateCallerWithoutKey();

        foreach (var path in new[] { "/swagger", "/swagger/index.html", "/openapi/v1.json" })
        {
            using var response = await client.SendGetAsync(path);
            await response.ProblemAsync(404, "not_found");
        }
    }

    [Theory]
    [InlineData("POST", "/generations/g1", "DELETE, GET, HEAD")]
    [InlineData("PUT", "/generations/g1", "DELETE, GET, HEAD")]
    [InlineData("PUT", "/generations", "GET, POST")]
    [InlineData("PATCH", "/generations/g1", "DELETE, GET, HEAD")]
    [InlineData("TRACE", "/generations/g1", "DELETE, GET, HEAD")]
    [InlineData("BREW", "/generations/g1", "DELETE, GET, HEAD")]
    [InlineData("GET", "/generations/g1/cache", "DELETE")]
    [InlineData("POST", "/health/live", "GET, HEAD")]
    [InlineData("DELETE", "/health/ready", "GET, HEAD")]
    [InlineData("POST", "/openapi/v1.json", "GET, HEAD")]
    public async Task A_wrong_method_is_a_405_with_the_allowed_methods(string method, string path, string allowed)
    {
        using var response = await SendAsync(method, path);

        await response.ProblemAsync(405, "method_not_allowed");
        Assert.Equal(allowed, response.Header("Allow"));
    }

    [Theory]
    [InlineData("/generations/g1", "DELETE, GET, HEAD, OPTIONS")]
    [InlineData("/generations/g1/cache", "DELETE, OPTIONS")]
    [InlineData("/health/live", "GET, HEAD, OPTIONS")]
    public async Task OPTIONS_returns_the_methods_of_the_route(string path, string allowed)
    {
        using var response = await SendAsync("OPTIONS", path);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(allowed, response.Header("Allow"));
        Assert.Equal("", response.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task OPTIONS_of_an_unknown_path_is_a_404()
    {
        using var response = await SendAsync("OPTIONS", "/nowhere");

        await response.ProblemAsync(404, "not_found");
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/swagger/index.html")]
    public async Task HEAD_has_the_headers_of_GET(string path)
    {
        using var get = await SendAsync("GET", path);
        using var head = await SendAsync("HEAD", path);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(get.Header("Content-Type"), head.Header("Content-Type"));
    }

    private async Task<HttpResponseMessage> SendAsync(string method, string path)
    {
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
