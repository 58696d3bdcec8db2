using System.Net;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace LumaGateway.Tests.Proxy;

/// <summary>The routes of <c>ReverseProxy:Routes</c>, their settings and permissions.</summary>
public sealed class RoutesTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task TRACE_is_not_sent_to_the_upstream_on_a_route_without_methods()
    {
        _raw.Gateway.With("ReverseProxy:Routes:any:ClusterId", "luma").With("ReverseProxy:Routes:any:Match:Path", "/luma/any");
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Trace, "/luma/any");

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync(405, "method_not_allowed");
        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("GET", "generations?limit=3&offset=1")]
    [InlineData("POST", "generations")]
    [InlineData("GET", "generations/g1")]
    [InlineData("HEAD", "generations/g1")]
    [InlineData("DELETE", "generations/g1")]
    [InlineData("POST", "generations/g1/extend")]
    [InlineData("POST", "generations/g1/upscale")]
    [InlineData("POST", "generations/g1/audio")]
    [InlineData("POST", "generations/video")]
    [InlineData("POST", "generations/video/modify")]
    [InlineData("POST", "generations/video/reframe")]
    [InlineData("POST", "generations/image")]
    [InlineData("POST", "generations/image/reframe")]
    [InlineData("GET", "generations/concepts/list")]
    [InlineData("GET", "generations/task..a~b=")]
    [InlineData("GET", "generations/4665A07C-7641-4809-A133-10786201BB56")]
    [InlineData("GET", "generations/camera_motion/list")]
    [InlineData("POST", "task")]
    [InlineData("GET", "task/t1")]
    [InlineData("HEAD", "task/t1")]
    [InlineData("GET", "credits")]
    [InlineData("GET", "files")]
    [InlineData("GET", "files?cursor=a%2Fb%3D&limit=1&purpose=input&state=ready")]
    [InlineData("POST", "files")]
    [InlineData("GET", "files/f1")]
    [InlineData("DELETE", "files/f1")]
    [InlineData("POST", "files/f1/complete")]
    [InlineData("GET", "usage")]
    [InlineData("GET", "ping")]
    public async Task Every_documented_request_is_forwarded(string method, string path)
    {
        _raw.Upstream.ThenJson("""{"detail":"yes"}""", HttpStatusCode.Accepted);
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/luma/{path}");

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var received = Assert.Single(_raw.Upstream.Received);
        Assert.Equal((method, $"http://upstream.test/luma/{path}"), (received.Method.Method, received.Address.AbsoluteUri));
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("GET", "users/me")]
    [InlineData("GET", "generations/g1/secret")]
    [InlineData("POST", "tasks")]
    [InlineData("GET", "generations/a%2F..%2F..%2Fcredits")]
    [InlineData("GET", "generations/%2e%2e")]
    [InlineData("GET", "generations/a:b")]
    [InlineData("DELETE", "generations/a%20b")]
    [InlineData("GET", "http://evil.test/")]
    [InlineData("GET", "..%5Ccredits")]
    public async Task Every_other_path_is_a_404_and_not_forwarded(string method, string path)
    {
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/luma/{path}");

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync(404, "not_found");
        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("PUT", "generations/g1")]
    [InlineData("PATCH", "generations/g1")]
    [InlineData("DELETE", "generations")]
    [InlineData("DELETE", "credits")]
    [InlineData("POST", "ping")]
    [InlineData("POST", "generations/g1")]
    [InlineData("GET", "task")]
    [InlineData("DELETE", "task/t1")]
    public async Task A_method_that_is_not_listed_is_a_405_with_Allow(string method, string path)
    {
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/luma/{path}");

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync(405, "method_not_allowed");
        Assert.NotEqual("", response.Header("Allow"));
        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task Changed_routes_apply_without_a_restart()
    {
        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Accepted);
        _raw.Gateway.With("ReverseProxy:Routes:ping:Match:Path", "/luma/ping");
        using var caller = _raw.CreateCaller();
        using var before = await caller.SendGetAsync("/luma/pong");
        var settings = (IConfigurationRoot)_raw.Gateway.Services.GetRequiredService<IConfiguration>();

        settings["ReverseProxy:Routes:ping:Match:Path"] = "/luma/pong";
        settings.Reload();

        await before.ProblemAsync(404, "not_found");
        await Poll.UntilAsync(async () =>
        {
            using var after = await caller.SendGetAsync("/luma/pong");
            using var removed = await caller.SendGetAsync("/luma/ping");
            return (after.StatusCode, removed.StatusCode) == (HttpStatusCode.Accepted, HttpStatusCode.NotFound);
        });
    }

    [Theory]
    [InlineData("ReverseProxy:Routes:ping:Match:Path", "/luma/{")]
    [InlineData("ReverseProxy:Routes:ping:Match:Path", "/luma/{id:nosuchrule}")]
    [InlineData("ReverseProxy:Routes:ping:ClusterId", "elsewhere")]
    [InlineData("ReverseProxy:Routes:ping:Match:Methods:0", "GET IT")]
    [InlineData("ReverseProxy:Routes:ping:Order", "first")]
    [InlineData("ReverseProxy:Routes:ping:Transforms:0:NoSuchTransform", "x")]
    public async Task Invalid_routes_are_logged_once_and_the_previous_routes_stay_until_the_settings_are_valid(string key, string value)
    {
        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Accepted);
        using var caller = _raw.CreateCaller();
        var settings = new ChangingSettings("{}");
        ((IConfigurationBuilder)_raw.Gateway.Services.GetRequiredService<IConfiguration>()).Add(settings);
        using var before = await caller.SendGetAsync("/luma/ping");

        // The second setting is valid, but in the same section.
        settings.Update($$"""{ "{{key}}": "{{value}}", "ReverseProxy:Routes:credits:Match:Path": "/luma/credit" }""");
        await Poll.UntilAsync(() => Errors().Any());
        using var after = await caller.SendGetAsync("/luma/ping");
        using var other = await caller.SendGetAsync("/luma/credits");
        using var document = await caller.SendGetAsync("/openapi/v1.json");
        settings.Update("""{ "ReverseProxy:Routes:credits:Match:Path": "/luma/credit" }""");
        await Poll.UntilAsync(async () =>
        {
            using var changed = await caller.SendGetAsync("/luma/credit");
            return changed.StatusCode is HttpStatusCode.Accepted;
        });

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (after.StatusCode, other.StatusCode));
        Assert.Equal(HttpStatusCode.OK, document.StatusCode);
        Assert.Single(Errors());

        IEnumerable<FakeLogRecord> Errors() => _raw.Gateway.Logs.GetSnapshot().Where(record => record.Level >= LogLevel.Error);
    }

    [Theory]
    [InlineData("GET", "raw", 202)]
    [InlineData("GET", "read", 403)]
    [InlineData("POST", "raw", 403)]
    [InlineData("POST", "raw,create", 202)]
    [InlineData("POST", "create", 403)]
    [InlineData("DELETE", "raw,create", 403)]
    [InlineData("DELETE", "raw,delete", 202)]
    public async Task Each_method_requires_its_permission(string method, string rights, int status)
    {
        var given = rights.Split(',');
        for (var i = 0; i < 6; i++)
        {
            _raw.Gateway.With($"Access:Clients:0:Rights:{i}", given.ElementAtOrDefault(i));
        }

        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Accepted);
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(new HttpMethod(method), method == "POST" ? "/luma/generations" : "/luma/generations/g1");

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(status, (int)response.StatusCode);
    }
}
