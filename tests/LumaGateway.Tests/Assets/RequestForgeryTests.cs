using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Assets;

/// <summary>
/// Server-side request forgery: links, DNS responses and redirects that try to make the gateway fetch from a forbidden address. A listener on every local
/// address must get no connection.
/// </summary>
public sealed class RequestForgeryTests : IDisposable
{
    private readonly TcpListener _listener = TcpListener.Create(0);
    private readonly ConcurrentQueue<IPAddress> _connections = new();

    public RequestForgeryTests()
    {
        _listener.Start();
        _ = CountAsync();
    }

    private string Port => ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData("https://127.0.0.1:{port}/v.mp4", "a loopback address")]
    [InlineData("https://localhost:{port}/v.mp4", "its name")]
    [InlineData("https://2130706433:{port}/v.mp4", "as one decimal number")]
    [InlineData("https://0x7f000001:{port}/v.mp4", "as one hexadecimal number")]
    [InlineData("https://0177.0.0.1:{port}/v.mp4", "in octal")]
    [InlineData("https://127.1:{port}/v.mp4", "shortened")]
    [InlineData("https://0:{port}/v.mp4", "this host")]
    [InlineData("https://[::1]:{port}/v.mp4", "IPv6 loopback")]
    [InlineData("https://[::ffff:127.0.0.1]:{port}/v.mp4", "an IPv4-mapped IPv6 address")]
    [InlineData("https://169.254.169.254/latest/meta-data/", "a cloud's metadata")]
    [InlineData("https://metadata.google.internal/", "its name")]
    [InlineData("https://cdn.test.evil.test:{port}/v.mp4", "the listed name as a prefix")]
    [InlineData("https://evilcdn.test:{port}/v.mp4", "the listed name as a suffix")]
    [InlineData("https://sub.cdn.test:{port}/v.mp4", "below a name that is listed alone")]
    [InlineData("https://cdn.test@evil.test:{port}/v.mp4", "the listed name as user")]
    [InlineData("https://user:secret@cdn.test:{port}/v.mp4", "credentials for the listed name")]
    [InlineData("https://evil.test:{port}#@cdn.test/v.mp4", "the listed name in the fragment")]
    [InlineData("https://evil.test:{port}?@cdn.test/v.mp4", "the listed name in the query")]
    [InlineData("https://evil.test:{port}\\@cdn.test/v.mp4", "a backslash")]
    [InlineData("https://cdn.test.:{port}/v.mp4", "a trailing dot")]
    [InlineData("https://сdn.test:{port}/v.mp4", "a Cyrillic letter")]
    [InlineData("https://cdn.test:22/v.mp4", "another port")]
    [InlineData("https://cdn.test/v.mp4", "the default port")]
    [InlineData("http://cdn.test:{port}/v.mp4", "plain http")]
    [InlineData("ftp://cdn.test:{port}/v.mp4", "another scheme")]
    [InlineData("gopher://cdn.test:{port}/_GET", "another scheme")]
    [InlineData("file:///etc/passwd", "a file")]
    [InlineData("//cdn.test:{port}/v.mp4", "no scheme")]
    [InlineData("https://cdn.test%00.evil.test:{port}/v.mp4", "an encoded zero")]
    [InlineData("https://cdn.test%0d%0aX:1:{port}/v.mp4", "an encoded line break")]
    public async Task A_forbidden_link_is_not_followed(string link, string trick)
    {
        // Every address is allowed, so that only the rules for the link are tested.
        using var gateway = new Gateway()
            .With("Assets:AllowedHosts:0", $"cdn.test:{Port}").With("Assets:AllowedNetworks:0", "0.0.0.0/0").With("Assets:AllowedNetworks:1", "::/0")
            .Resolving(IPAddress.Loopback);

        var code = await CodeAsync(gateway, link.Replace("{port}", Port, StringComparison.Ordinal));

        Report(trick, code, "asset_address_refused", "asset_not_found"); // a URL that is not http or https is not read as a link
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.8.8")]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("2001::7f00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fc00::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public async Task An_allowed_host_that_resolves_to_a_private_address_is_not_connected_to(string address)
    {
        using var gateway = new Gateway().With("Assets:AllowedHosts:0", $"cdn.test:{Port}").Resolving(IPAddress.Parse(address));

        var code = await CodeAsync(gateway, $"https://cdn.test:{Port}/v.mp4");

        Report($"resolves to {address}", code, "asset_address_refused");
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("[::ffff:127.0.0.1]")]
    public async Task A_private_address_in_the_list_of_hosts_is_not_connected_to(string host)
    {
        using var gateway = new Gateway().With("Assets:AllowedHosts:0", $"{host}:{Port}");

        var code = await CodeAsync(gateway, $"https://{host}:{Port}/v.mp4");

        Report($"the listed address {host}", code, "asset_address_refused");
    }

    [Fact]
    public async Task Only_the_allowed_addresses_of_a_host_are_connected_to()
    {
        // A test cannot connect to a public address, so an allowed loopback address replaces it. The listener speaks no TLS.
        var allowed = IPAddress.Parse("127.0.0.2");
        using var gateway = new Gateway()
            .With("Assets:AllowedHosts:0", $"cdn.test:{Port}").With("Assets:AllowedNetworks:0", "127.0.0.2/32")
            .Resolving(IPAddress.Loopback, allowed, IPAddress.IPv6Loopback);

        var code = await CodeAsync(gateway, $"https://cdn.test:{Port}/v.mp4");

        Assert.Equal("asset_unavailable", code);
        Assert.Equal([allowed], _connections.Distinct());
    }

    [Fact]
    public async Task A_name_is_resolved_once_for_a_connection()
    {
        var addresses = new Queue<IPAddress>([IPAddress.Parse("10.0.0.1"), IPAddress.Loopback]);
        using var gateway = new Gateway().With("Assets:AllowedHosts:0", $"cdn.test:{Port}").With(services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<LumaGateway.Assets.HostResolver>(
                services, (_, _) => Task.FromResult<IPAddress[]>([addresses.Dequeue()])));

        var code = await CodeAsync(gateway, $"https://cdn.test:{Port}/v.mp4");

        Report("a second resolution with another address", code, "asset_address_refused");
        Assert.Single(addresses);
    }

    [Theory]
    [InlineData("https://127.0.0.1:{port}/v.mp4", "to loopback")]
    [InlineData("http://169.254.169.254/latest/meta-data/", "to a cloud's metadata")]
    [InlineData("//evil.test:{port}/v.mp4", "to another host, without a scheme")]
    [InlineData("https://user:secret@cdn.test/v.mp4", "with credentials")]
    [InlineData("file:///etc/passwd", "to a file")]
    [InlineData("http://private.test:{port}/v.mp4", "to a listed host at a private address")]
    public async Task A_forbidden_redirect_is_not_followed(string location, string trick)
    {
        await using var cdn = await Cdn.StartAsync();
        cdn.ThenRedirect(location.Replace("{port}", Port, StringComparison.Ordinal));
        using var gateway = AssetGateway.For(cdn).With("Assets:AllowedHosts:2", $"private.test:{Port}").With(services =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<LumaGateway.Assets.HostResolver>(
                services, (host, _) => Task.FromResult<IPAddress[]>([host == "private.test" ? IPAddress.Parse("10.0.0.1") : IPAddress.Loopback])));

        var code = await CodeAsync(gateway, cdn.Link());

        Report($"a redirect {trick}", code, "asset_address_refused");
        Assert.Single(cdn.Requests);
    }

    private static async Task<string> CodeAsync(Gateway gateway, string link)
    {
        gateway.Upstream.AlwaysJson(AssetGateway.Completed(link));
        using var caller = gateway.CreateCaller();
        using var response = await caller.SendGetAsync("/generations/g1/video");
        return response.IsSuccessStatusCode ? "200" : (await response.JsonAsync()).GetProperty("code").GetString()!;
    }

    private void Report(string trick, string code, params string[] expected)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{trick}: {code}, {_connections.Count} connections");
        Assert.Contains(code, expected);
        Assert.Empty(_connections);
    }

    private async Task CountAsync()
    {
        try
        {
            while (true)
            {
                using var connection = await _listener.AcceptTcpClientAsync(CancellationToken.None);
                _connections.Enqueue(((IPEndPoint)connection.Client.LocalEndPoint!).Address.MapToIPv4());
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
