using Xunit.Sdk;

namespace LumaGateway.SystemTests.Clients;

/// <summary>The output of a crashing gateway, and the search for secrets in the output of every gateway process.</summary>
public sealed class CrashOutputTests
{
    private const string Token = "CANARYupstreamtoken5d41402a";
    private const string RedisPassword = "CANARYredispassword1f3870be";

    [Fact]
    public async Task A_failing_start_reports_the_error_without_a_secret()
    {
        var settings = Settings(Token);
        await using var gateway = GatewayProcess.Launch(new Dictionary<string, string>(settings)
        {
            ["Kestrel:Endpoints:Https:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Https:Certificate:Path"] = "/nowhere/server.pfx",
            ["Kestrel:Endpoints:Https:Certificate:Password"] = "CANARYcertificatepassword8f14e45f",
        });

        Assert.NotEqual(0, await gateway.WaitForExitAsync());
        Assert.Contains("/nowhere/server.pfx", gateway.Everything, StringComparison.Ordinal);
        Secrets.Of(settings).AssertNotIn(gateway.Everything);
        Assert.DoesNotContain("CANARY", gateway.Everything, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_secret_in_the_output_fails_the_test()
    {
        var gateway = await GatewayProcess.StartAsync(Settings(token: "listening")); // a word in its output

        await Assert.ThrowsAnyAsync<XunitException>(async () => await gateway.DisposeAsync());
    }

    [Fact]
    public async Task A_start_without_a_writable_folder_logs_no_warning()
    {
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(Settings(Token))
        {
            ["HOME"] = "/nowhere",
            ["ConnectionStrings:Redis"] = string.Empty,
        });

        Assert.DoesNotContain("warn:", gateway.Log, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Settings(string token) => new()
    {
        ["Luma:BaseAddress"] = "http://127.0.0.1:9/luma",
        ["Luma:ApiKey"] = token,
        ["Luma:Name"] = "account",
        ["ConnectionStrings:Redis"] = $"127.0.0.1:9,password={RedisPassword}",
        ["Access:AllowAnonymous"] = "true",
    };
}
