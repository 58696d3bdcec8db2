using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LumaGateway.SystemTests.Start;

/// <summary>A failed start prints one message without a stack trace, and exits with 1.</summary>
public sealed class StartupErrorTests : IDisposable
{
    /// <summary>The home of the gateway, which is empty: a developer's home can have a development certificate, which Kestrel would use.</summary>
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("luma-home-");

    private static readonly Dictionary<string, string> Usable = new()
    {
        ["Luma:BaseAddress"] = "http://127.0.0.1:9/luma",
        ["Luma:ApiKey"] = "token-of-the-refusal-tests",
        ["Access:AllowAnonymous"] = "true",
        ["Logging:Console:FormatterName"] = "json",
    };

    [Fact]
    public async Task A_port_in_use_is_reported()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture)}";

        var output = await FailToStartAsync(("ASPNETCORE_URLS", address));

        Assert.Contains($"{address}: address already in use", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "nonsense", "'nonsense'")]
    [InlineData("ASPNETCORE_URLS", "https://127.0.0.1:0", "No server certificate")]
    [InlineData("ASPNETCORE_URLS", "http://192.0.2.1:0", "Cannot assign requested address")]
    [InlineData("Kestrel:Endpoints:Tls:Certificate:Path", "/nothing/here.pfx", "/nothing/here.pfx")]
    public async Task An_unusable_address_or_certificate_is_reported(string key, string value, string expected)
    {
        var output = await FailToStartAsync((key, value), ("Kestrel:Endpoints:Tls:Url", key.StartsWith("Kestrel", StringComparison.Ordinal) ? "https://127.0.0.1:0" : ""));

        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.Contains("ASPNETCORE_URLS", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_invalid_route_settings_and_missing_files_are_reported_together()
    {
        var output = await FailToStartAsync(
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
            named => Assert.Contains($"- {named}", output, StringComparison.Ordinal));
    }

    /// <summary>Separate, because an unreadable value prevents the validation of its section.</summary>
    [Fact]
    public async Task An_unreadable_route_setting_is_reported()
    {
        var output = await FailToStartAsync(("ReverseProxy:Routes:generations:Order", "lots"));

        Assert.Contains("- ReverseProxy:Routes:generations:Order", output, StringComparison.Ordinal);
    }

    /// <summary>The file of an environment of its own, because the folder of the program is that of all tests.</summary>
    [Theory]
    [InlineData]
    [InlineData("--check")]
    public async Task A_settings_file_that_cannot_be_parsed_is_reported_with_its_line(params string[] arguments)
    {
        var environment = $"Malformed{Guid.NewGuid():N}";
        var file = Path.Combine(Path.GetDirectoryName(GatewayProgram.Tested.First.FirstOrDefault(GatewayProgram.Tested.File))!, $"appsettings.{environment}.json");
        await File.WriteAllTextAsync(file, "{\n\"Luma\": CANARY", TestContext.Current.CancellationToken);
        try
        {
            await using var gateway = GatewayProcess.Launch(new Dictionary<string, string>(Usable) { ["ASPNETCORE_ENVIRONMENT"] = environment }, arguments);

            Assert.Equal(1, await gateway.WaitForExitAsync());
            Assert.Empty(gateway.Output);
            Assert.Contains(file, Assert.Single(gateway.Errors), StringComparison.Ordinal);
            Assert.Contains("Line 2", gateway.Everything, StringComparison.Ordinal);
            Assert.DoesNotContain("CANARY", gateway.Everything, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default", "Infoo")]
    [InlineData("Logging:Console:FormatterName", "jsom")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "abc")]
    public async Task A_wrong_setting_of_the_log_is_reported(string key, string value)
    {
        var output = await FailToStartAsync((key, value), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"));

        Assert.Contains($"- {key} must be ", output, StringComparison.Ordinal);
    }

    public void Dispose() => _home.Delete(recursive: true);

    private async Task<string> FailToStartAsync(params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(Usable);
        foreach (var (key, value) in settings.Where(setting => setting.Value.Length > 0 || Usable.ContainsKey(setting.Key)))
        {
            all[key] = value;
        }

        all["HOME"] = _home.FullName;
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
