using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Assets;

/// <summary>With an egress proxy the proxy resolves names. The gateway still checks the link.</summary>
public sealed class EgressProxyTests : IAsyncLifetime
{
    private Cdn _cdn = null!;

    public async ValueTask InitializeAsync() => _cdn = await Cdn.StartAsync();

    public ValueTask DisposeAsync() => _cdn.DisposeAsync();

    [Fact]
    public async Task A_file_is_fetched_through_the_proxy_without_data_of_the_caller()
    {
        using var proxy = new EgressProxy(_cdn.Port) { Credential = "Basic dXNlcjpw" };
        using var gateway = Through(proxy, "http://user:p@").With("Assets:AllowHttp", "true").With("Assets:AllowedHosts:0", "cdn.test");

        using var response = await SendGetAsync(gateway, "http://cdn.test/file.mp4");

        Assert.Equal(Cdn.File, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Single(_cdn.Requests);
        Assert.NotEmpty(proxy.Heads);
        Assert.All(proxy.Heads, head => Assert.StartsWith("GET http://cdn.test/file.mp4 HTTP/1.1\r\n", head, StringComparison.Ordinal));
        Assert.DoesNotContain(Gateway.Key, string.Concat(proxy.Heads), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_certificate_of_a_tunneled_host_is_validated()
    {
        await using var selfSigned = await StartTlsAsync();
        using var proxy = new EgressProxy(new Uri(selfSigned.Address).Port);
        using var gateway = Through(proxy).With("Assets:AllowedHosts:0", "cdn.test");

        using var response = await SendGetAsync(gateway, "https://cdn.test/file.mp4");

        await response.ProblemAsync(502, "asset_unavailable");
        Assert.NotEmpty(proxy.Heads);
        Assert.All(proxy.Heads, head => Assert.StartsWith("CONNECT cdn.test:443 HTTP/1.1\r\n", head, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("http://evil.test/file.mp4")]
    [InlineData("http://cdn.test:22/file.mp4")]
    [InlineData("http://127.0.0.1/file.mp4")]
    [InlineData("http://[::1]/file.mp4")]
    [InlineData("http://[::ffff:169.254.169.254]/file.mp4")]
    [InlineData("http://169.254.169.254/file.mp4")]
    [InlineData("http://2852039166/file.mp4")]
    public async Task A_forbidden_link_is_refused_before_a_request_to_the_proxy(string link)
    {
        using var proxy = new EgressProxy(_cdn.Port);
        using var gateway = Through(proxy).With("Assets:AllowHttp", "true").With("Assets:AllowedHosts:0", "cdn.test")
            .With("Assets:AllowedHosts:1", "127.0.0.1").With("Assets:AllowedHosts:2", "[::1]")
            .With("Assets:AllowedHosts:3", "169.254.169.254").With("Assets:AllowedHosts:4", "[::ffff:169.254.169.254]");

        using var response = await SendGetAsync(gateway, link);

        await response.ProblemAsync(502, "asset_address_refused");
        Assert.Empty(proxy.Heads);
    }

    [Theory]
    [InlineData("http://evil.test/")]
    [InlineData("http://10.0.0.1/")]
    public async Task A_redirect_through_the_proxy_is_checked(string location)
    {
        _cdn.ThenRedirect(location);
        using var proxy = new EgressProxy(_cdn.Port);
        using var gateway = Through(proxy).With("Assets:AllowHttp", "true").With("Assets:AllowedHosts:0", "cdn.test").With("Assets:AllowedHosts:1", "10.0.0.1");

        using var response = await SendGetAsync(gateway, "http://cdn.test/file.mp4");

        await response.ProblemAsync(502, "asset_address_refused");
        Assert.Single(proxy.Heads);
    }

    [Fact]
    public async Task An_allowed_host_in_an_allowed_private_network_is_fetched_through_the_proxy()
    {
        using var proxy = new EgressProxy(_cdn.Port);
        using var gateway = Through(proxy).With("Assets:AllowHttp", "true").With("Assets:AllowedHosts:0", "10.1.2.3").With("Assets:AllowedNetworks:0", "10.1.0.0/16");

        using var response = await SendGetAsync(gateway, "http://10.1.2.3/file.mp4");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("GET http://10.1.2.3/file.mp4 ", Assert.Single(proxy.Heads), StringComparison.Ordinal);
    }

    /// <summary>The resolver returns a private address, so a resolution by the gateway would fail the request.</summary>
    private static Gateway Through(EgressProxy proxy, string scheme = "http://") =>
        new Gateway().With("Assets:Proxy", scheme + proxy.Authority).Resolving(IPAddress.Parse("10.0.0.1"));

    private static async Task<HttpResponseMessage> SendGetAsync(Gateway gateway, string link)
    {
        gateway.Upstream.AlwaysJson(AssetGateway.Completed(link));
        using var caller = gateway.CreateCaller();
        return await caller.SendGetAsync("/generations/g1/video");
    }

    /// <summary>A server with a self-signed certificate for <c>cdn.test</c>.</summary>
    private static async Task<Loopback> StartTlsAsync()
    {
        using var key = ECDsa.Create();
        var now = TimeProvider.System.GetUtcNow();
        using var selfSigned = new CertificateRequest("CN=cdn.test", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var certificate = X509CertificateLoader.LoadPkcs12(selfSigned.Export(X509ContentType.Pfx), null);
        return await Loopback.StartAsync(context => context.Response.WriteAsync("not the CDN"), certificate);
    }
}
