using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LumaGateway.SystemTests.Start;

/// <summary>A start that cannot be, as an operator meets it: one message, no stack trace, an exit code other than 0. Needs nothing but the gateway.</summary>
public sealed class RefusalReasonTests
{
    private static readonly Dictionary<string, string> Usable = new()
    {
        ["Luma:BaseAddress"] = "http://127.0.0.1:9/luma",
        ["Luma:ApiKey"] = "token-of-the-refusal-tests",
        ["Access:AllowAnonymous"] = "true",
        ["Logging:Console:FormatterName"] = "json",
    };

    [Fact]
    public async Task A_port_that_is_taken_is_told()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)}";

        var said = await RefuseAsync(("ASPNETCORE_URLS", address));

        Assert.Contains($"{address}: address already in use", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "nonsense", "'nonsense'")]
    [InlineData("ASPNETCORE_URLS", "https://127.0.0.1:0", "No server certificate")]
    [InlineData("ASPNETCORE_URLS", "http://192.0.2.1:0", "Cannot assign requested address")]
    [InlineData("Kestrel:Endpoints:Tls:Certificate:Path", "/nothing/here.pfx", "/nothing/here.pfx")]
    public async Task An_address_or_certificate_that_cannot_be_used_is_told(string key, string value, string told)
    {
        var said = await RefuseAsync((key, value), ("Kestrel:Endpoints:Tls:Url", key.StartsWith("Kestrel", StringComparison.Ordinal) ? "https://127.0.0.1:0" : ""));

        Assert.Contains(told, said, StringComparison.Ordinal);
        Assert.Contains("ASPNETCORE_URLS", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_wrong_setting_of_the_passthrough_and_every_missing_file_is_named_in_one_go()
    {
        var said = await RefuseAsync(
            ("Luma:ApiKey", ""),
            ("Luma:ApiKeyFile", "/nothing/here"),
            ("Callbacks:SecretFile", "/nothing/here"),
            ("ReverseProxy:Routes:generations:Match:Path", "/{"),
            ("ReverseProxy:Routes:extend:ClusterId", "nowhere"),
            ("ReverseProxy:Routes:extra:ClusterId", "luma"),
            ("ReverseProxy:Routes:upscale:Transforms:0:NoSuchTransform", "x"),
            ("ReverseProxy:Clusters:luma:LoadBalancingPolicy", "NoSuchPolicy"));

        Assert.All(
            [
                "Luma:ApiKeyFile", "Callbacks:SecretFile", "ReverseProxy:Routes:generations", "ReverseProxy:Routes:extend:ClusterId", "ReverseProxy:Routes:extra",
                "ReverseProxy:Routes:upscale", "ReverseProxy:Clusters:luma",
            ],
            named => Assert.Contains($"- {named}", said, StringComparison.Ordinal));
    }

    /// <summary>By itself: as long as a section cannot be read, nothing else in it is looked at.</summary>
    [Fact]
    public async Task A_setting_of_the_passthrough_that_cannot_be_read_is_named()
    {
        var said = await RefuseAsync(("ReverseProxy:Routes:generations:Order", "lots"));

        Assert.Contains("- ReverseProxy:Routes:generations:Order", said, StringComparison.Ordinal);
    }

    private static async Task<string> RefuseAsync(params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(Usable);
        foreach (var (key, value) in settings.Where(setting => setting.Value.Length > 0 || Usable.ContainsKey(setting.Key)))
        {
            all[key] = value;
        }

        await using var gateway = GatewayProcess.Launch(all);
        Assert.Equal(1, await gateway.WaitForExitAsync());
        Assert.Empty(gateway.Output);
        Assert.StartsWith("LumaGateway cannot start", gateway.Errors.First(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain(Usable["Luma:ApiKey"], gateway.Everything, StringComparison.Ordinal);
        return gateway.Everything;
    }
}
