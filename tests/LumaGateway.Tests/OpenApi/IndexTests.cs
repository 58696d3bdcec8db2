using System.Net;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

/// <summary>The page at <c>/</c>.</summary>
public sealed class IndexTests : IDisposable
{
    private const string BrowserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_program_gets_the_paths_as_JSON_without_a_key()
    {
        using var caller = _gateway.CreateCallerWithoutKey();

        using var response = await caller.SendGetAsync("/");

        Assert.Equal("application/json; charset=utf-8", response.Header("Content-Type"));
        var body = await response.JsonAsync();
        Assert.Equal("LumaGateway", body.GetProperty("name").GetString());
        var links = body.GetProperty("links").EnumerateObject().Select(link => link.Name);
        Assert.Equal(["swagger", "openapi", "live", "ready"], links);
        foreach (var link in body.GetProperty("links").EnumerateObject())
        {
            using var linked = await caller.SendGetAsync(link.Value.GetString()!);
            Assert.True(linked.StatusCode is HttpStatusCode.OK or HttpStatusCode.MovedPermanently, $"{link}: {linked.StatusCode}");
        }
    }

    [Fact]
    public async Task A_browser_gets_a_page_without_version_and_host()
    {
        using var caller = _gateway.CreateCallerWithoutKey();
        caller.DefaultRequestHeaders.Add("Accept", BrowserAccept);

        using var response = await caller.SendGetAsync("/");

        Assert.Equal("text/html; charset=utf-8", response.Header("Content-Type"));
        Assert.Equal("Accept", response.Header("Vary"));
        Assert.Contains("script-src 'none'; style-src 'sha256-", response.Header("Content-Security-Policy"), StringComparison.Ordinal);
        var html = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains("""<a href="./swagger">""", html, StringComparison.Ordinal);
        Assert.DoesNotContain(Instrumentation.Version, html, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.MachineName, html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("localhost", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Swagger_is_not_listed_if_it_is_disabled_and_the_management_pages_are_listed_if_they_are_served()
    {
        var (main, _) = ListeningGateway.Start(_gateway.With("Swagger:Enabled", "false"));
        using var client = new HttpClient();

        using var response = await client.SendGetAsync($"{main}");

        Assert.Equal(["live", "ready", "status", "metrics"], (await response.JsonAsync()).GetProperty("links").EnumerateObject().Select(link => link.Name));
    }

    [Fact]
    public async Task HEAD_has_no_body_and_the_page_is_not_in_the_OpenAPI_document()
    {
        using var caller = _gateway.CreateCallerWithoutKey();
        using var request = new HttpRequestMessage(HttpMethod.Head, "/");
        request.Headers.Add("Accept", BrowserAccept);

        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);
        using var document = await caller.SendGetAsync("/openapi/v1.json");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Content.Headers.ContentLength > 0);
        Assert.False((await document.JsonAsync()).GetProperty("paths").TryGetProperty("/", out _));
    }

    [Fact]
    public async Task Swagger_UI_is_usable_on_a_phone_and_prefills_no_header()
    {
        using var caller = _gateway.CreateCallerWithoutKey();

        using var page = await caller.SendGetAsync("/swagger/index.html");
        var html = await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        using var style = await caller.SendGetAsync("/swagger/gateway.css");
        using var script = await caller.SendGetAsync("/swagger/gateway.js");
        using var document = await caller.SendGetAsync("/openapi/v1.json");

        Assert.Contains("""<meta name="viewport" content="width=device-width, initial-scale=1">""", html, StringComparison.Ordinal);
        Assert.Contains("gateway.css", html, StringComparison.Ordinal);
        Assert.Contains("gateway.js", html, StringComparison.Ordinal);
        Assert.Equal(("text/css; charset=utf-8", "text/javascript; charset=utf-8"), (style.Header("Content-Type"), script.Header("Content-Type")));
        var headers = (await document.JsonAsync()).GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject())
            .Where(operation => operation.Value.TryGetProperty("parameters", out _))
            .SelectMany(operation => operation.Value.GetProperty("parameters").EnumerateArray())
            .Where(parameter => parameter.GetProperty("in").GetString() is "header")
            .ToList();
        Assert.NotEmpty(headers);
        Assert.All(headers, header => Assert.False(header.TryGetProperty("example", out _), header.GetRawText()));
    }
}
