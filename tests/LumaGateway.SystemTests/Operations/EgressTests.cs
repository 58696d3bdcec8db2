using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.SystemTests.Operations;

/// <summary>The way out to the upstream: a proxy that the environment names, and an authority that is nobody else's. Needs nothing but the gateway.</summary>
public sealed class EgressTests
{
    private const string Token = "token-of-the-egress-tests";
    private const string ProxyPassword = "password-of-the-proxy";

    /// <summary>A read and the passthrough: each has a client of its own.</summary>
    private static readonly string[] Ways = ["/generations/g1", "/luma/generations/g1"];

    private readonly ConcurrentQueue<string> _seen = new();

    [Fact]
    public async Task An_upstream_is_asked_through_the_proxy_that_the_environment_names()
    {
        await using var proxy = await Loopback.StartAsync(AnswerAsync);
        await using var gateway = await StartAsync("http://upstream.invalid/luma", ("http_proxy", proxy.Address));

        foreach (var way in Ways)
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, way));
        }

        Assert.Equal(Enumerable.Repeat("upstream.invalid /luma/generations/g1", Ways.Length), _seen);
    }

    [Fact]
    public async Task An_upstream_that_no_proxy_names_is_asked_directly()
    {
        await using var upstream = await Loopback.StartAsync(AnswerAsync);
        await using var gateway = await StartAsync($"{upstream.Address}/luma", ("http_proxy", "http://127.0.0.1:9"), ("no_proxy", "example.com,127.0.0.1"));

        foreach (var way in Ways)
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, way));
        }

        Assert.Equal(Enumerable.Repeat($"{new Uri(upstream.Address).Authority} /luma/generations/g1", Ways.Length), _seen);
    }

    [Fact]
    public async Task Over_TLS_a_proxy_learns_the_upstreams_name_and_nothing_else()
    {
        using var certificates = new Certificates();
        using var certificate = certificates.LoadServer();
        await using var upstream = await Loopback.StartAsync(AnswerAsync, certificate);
        await using var proxy = TunnelProxy.Open();
        var authority = $"localhost:{new Uri(upstream.Address).Port}";
        await using var gateway = await StartAsync(
            $"https://{authority}/luma", ("https_proxy", $"http://127.0.0.1:{proxy.Port}"), ("SSL_CERT_FILE", certificates.Authority));

        foreach (var way in Ways)
        {
            Assert.Equal(HttpStatusCode.OK, await AskAsync(gateway, way));
        }

        Assert.Equal(Enumerable.Repeat($"{authority} /luma/generations/g1", Ways.Length), _seen);
        Assert.NotEmpty(proxy.Asked);
        Assert.All(proxy.Asked, head => Assert.StartsWith($"CONNECT {authority} ", head, StringComparison.Ordinal));
        Assert.All(proxy.Asked, head => Assert.DoesNotContain(Token, head, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_proxy_that_refuses_its_password_is_an_unreachable_upstream_and_the_password_is_not_told()
    {
        await using var proxy = TunnelProxy.Closed();
        await using var gateway = await StartAsync(
            "https://upstream.invalid/luma",
            ("https_proxy", $"http://gateway:{ProxyPassword}@127.0.0.1:{proxy.Port}"),
            ("Logging:LogLevel:Default", "Trace"),
            ("Logging:LogLevel:Yarp.ReverseProxy", "Trace"));

        foreach (var path in Ways)
        {
            using var answer = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
            Assert.DoesNotContain(ProxyPassword, body, StringComparison.Ordinal);
        }

        Assert.Contains(proxy.Asked, head => head.Contains("Proxy-Authorization: Basic", StringComparison.Ordinal));
        Assert.DoesNotContain(ProxyPassword, gateway.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_of_the_assets_proxy_is_not_told_either()
    {
        await using var proxy = TunnelProxy.Closed();
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

        Assert.Equal(HttpStatusCode.BadGateway, await AskAsync(gateway, "/generations/g1/video"));
        Assert.Contains(proxy.Asked, head => head.StartsWith("CONNECT cdn.invalid:443 ", StringComparison.Ordinal));
        Assert.DoesNotContain(ProxyPassword, gateway.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SSL_CERT_FILE", HttpStatusCode.OK)]
    [InlineData("SSL_CERT_DIR", HttpStatusCode.OK)]
    [InlineData(null, HttpStatusCode.BadGateway)]
    public async Task An_upstream_of_a_private_authority_is_believed_only_where_the_authority_is_named(string? variable, HttpStatusCode expected)
    {
        using var certificates = new Certificates();
        using var certificate = certificates.LoadServer();
        await using var upstream = await Loopback.StartAsync(AnswerAsync, certificate);
        (string, string)[] trust = variable is null ? [] : [(variable, variable is "SSL_CERT_DIR" ? certificates.Folder : certificates.Authority)];
        await using var gateway = await StartAsync($"https://localhost:{new Uri(upstream.Address).Port}/luma", trust);

        foreach (var way in Ways)
        {
            Assert.Equal(expected, await AskAsync(gateway, way));
        }

        Assert.Equal(expected is HttpStatusCode.OK ? Ways.Length : 0, _seen.Count);
    }

    private static Task<GatewayProcess> StartAsync(string upstream, params (string Name, string Value)[] environment) => GatewayProcess.StartAsync(
        new Dictionary<string, string>(environment.Select(variable => new KeyValuePair<string, string>(variable.Name, variable.Value)))
        {
            ["Luma:BaseAddress"] = upstream,
            ["Luma:ApiKey"] = Token,
            ["Luma:Retries"] = "0",
            ["Access:Clients:0:Name"] = "system-tests",
            ["Access:Clients:0:KeySha256"] = Fleet.DigestOf(GatewayProcess.ClientKey),
            ["Access:Clients:0:Rights:0"] = "read",
            ["Access:Clients:0:Rights:1"] = "raw",
        });

    private static async Task<HttpStatusCode> AskAsync(GatewayProcess gateway, string path)
    {
        using var answer = await gateway.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private Task AnswerAsync(HttpContext context)
    {
        _seen.Enqueue($"{context.Request.Host} {context.Request.Path}");
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync("""{"id":"g1","state":"failed","failure_reason":"none"}""", context.RequestAborted);
    }
}
