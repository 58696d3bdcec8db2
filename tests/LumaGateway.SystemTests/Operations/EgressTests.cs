using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.SystemTests.Operations;

/// <summary>Connections to the upstream: egress proxies and private certificate authorities.</summary>
public sealed class EgressTests
{
    private const string Token = "token-of-the-egress-tests";
    private const string ProxyPassword = "password-of-the-proxy";

    /// <summary>A read and a request under /luma; they use different HTTP clients.</summary>
    private static readonly string[] Paths = ["/generations/g1", "/luma/generations/g1"];

    private readonly ConcurrentQueue<string> _received = new();

    [Fact]
    public async Task Upstream_requests_use_the_proxy_of_the_environment()
    {
        await using var proxy = await Loopback.StartAsync(RespondAsync);
        await using var gateway = await StartAsync("http://upstream.invalid/luma", ("http_proxy", proxy.Address));

        foreach (var path in Paths)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(gateway, path));
        }

        Assert.Equal(Enumerable.Repeat("upstream.invalid /luma/generations/g1", Paths.Length), _received);
    }

    [Fact]
    public async Task Upstream_requests_to_a_host_in_no_proxy_are_direct()
    {
        await using var upstream = await Loopback.StartAsync(RespondAsync);
        await using var gateway = await StartAsync($"{upstream.Address}/luma", ("http_proxy", "http://127.0.0.1:9"), ("no_proxy", "example.com,127.0.0.1"));

        foreach (var path in Paths)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(gateway, path));
        }

        Assert.Equal(Enumerable.Repeat($"{new Uri(upstream.Address).Authority} /luma/generations/g1", Paths.Length), _received);
    }

    [Fact]
    public async Task Over_TLS_a_proxy_gets_only_the_host_and_port_of_the_upstream()
    {
        using var certificates = new Certificates();
        using var certificate = certificates.LoadServer();
        await using var upstream = await Loopback.StartAsync(RespondAsync, certificate);
        await using var proxy = TunnelProxy.Accepting();
        var authority = $"localhost:{new Uri(upstream.Address).Port}";
        await using var gateway = await StartAsync(
            $"https://{authority}/luma", ("https_proxy", $"http://127.0.0.1:{proxy.Port}"), ("SSL_CERT_FILE", certificates.Authority));

        foreach (var path in Paths)
        {
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(gateway, path));
        }

        Assert.Equal(Enumerable.Repeat($"{authority} /luma/generations/g1", Paths.Length), _received);
        Assert.NotEmpty(proxy.Requests);
        Assert.All(proxy.Requests, head => Assert.StartsWith($"CONNECT {authority} ", head, StringComparison.Ordinal));
        Assert.All(proxy.Requests, head => Assert.DoesNotContain(Token, head, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_proxy_that_rejects_its_password_causes_502_without_leaking_the_password()
    {
        await using var proxy = TunnelProxy.Rejecting();
        await using var gateway = await StartAsync(
            "https://upstream.invalid/luma",
            ("https_proxy", $"http://gateway:{ProxyPassword}@127.0.0.1:{proxy.Port}"),
            ("Logging:LogLevel:Default", "Trace"),
            ("Logging:LogLevel:Yarp.ReverseProxy", "Trace"));

        foreach (var path in Paths)
        {
            using var response = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
            Assert.DoesNotContain(ProxyPassword, body, StringComparison.Ordinal);
        }

        Assert.Contains(proxy.Requests, head => head.Contains("Proxy-Authorization: Basic", StringComparison.Ordinal));
        Assert.DoesNotContain(ProxyPassword, gateway.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_of_the_asset_proxy_is_not_logged()
    {
        await using var proxy = TunnelProxy.Rejecting();
        await using var upstream = await Loopback.StartAsync(context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync("{\"id\":\"g1\",\"state\":\"completed\",\"video\":{\"url\":\"https://cdn.invalid/g1.mp4\"}}", context.RequestAborted);
        });
        await using var gateway = await StartAsync(
            $"{upstream.Address}/luma",
            ("Assets:Proxy", $"http://gateway:{ProxyPassword}@127.0.0.1:{proxy.Port}"),
            ("Assets:AllowedHosts:0", "cdn.invalid"),
            ("Access:Clients:0:Rights:2", "assets"),
            ("Logging:LogLevel:Default", "Trace"),
            ("Logging:LogLevel:Yarp.ReverseProxy", "Trace"));

        Assert.Equal(HttpStatusCode.BadGateway, await StatusAsync(gateway, "/generations/g1/video"));
        Assert.Contains(proxy.Requests, head => head.StartsWith("CONNECT cdn.invalid:443 ", StringComparison.Ordinal));
        Assert.DoesNotContain(ProxyPassword, gateway.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SSL_CERT_FILE", HttpStatusCode.OK)]
    [InlineData("SSL_CERT_DIR", HttpStatusCode.OK)]
    [InlineData(null, HttpStatusCode.BadGateway)]
    public async Task An_upstream_with_a_private_authority_is_trusted_only_if_configured(string? variable, HttpStatusCode expected)
    {
        using var certificates = new Certificates();
        using var certificate = certificates.LoadServer();
        await using var upstream = await Loopback.StartAsync(RespondAsync, certificate);
        (string, string)[] trust = variable is null ? [] : [(variable, variable is "SSL_CERT_DIR" ? certificates.Folder : certificates.Authority)];
        await using var gateway = await StartAsync($"https://localhost:{new Uri(upstream.Address).Port}/luma", trust);

        foreach (var path in Paths)
        {
            Assert.Equal(expected, await StatusAsync(gateway, path));
        }

        Assert.Equal(expected is HttpStatusCode.OK ? Paths.Length : 0, _received.Count);
    }

    private static Task<GatewayProcess> StartAsync(string upstream, params (string Name, string Value)[] environment) => GatewayProcess.StartAsync(
        new Dictionary<string, string>(environment.Select(variable => new KeyValuePair<string, string>(variable.Name, variable.Value)))
        {
            ["Luma:BaseAddress"] = upstream,
            ["Luma:ApiKey"] = Token,
            ["Luma:Retries"] = "0",
            ["Access:Clients:0:Name"] = "system-tests",
            ["Access:Clients:0:KeySha256"] = ReplicaGroup.DigestOf(GatewayProcess.ClientKey),
            ["Access:Clients:0:Rights:0"] = "read",
            ["Access:Clients:0:Rights:1"] = "raw",
        });

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway, string path)
    {
        using var response = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    private Task RespondAsync(HttpContext context)
    {
        _received.Enqueue($"{context.Request.Host} {context.Request.Path}");
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync("""{"id":"g1","state":"failed","failure_reason":"none"}""", context.RequestAborted);
    }
}
