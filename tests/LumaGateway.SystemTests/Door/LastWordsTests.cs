using Xunit.Sdk;

namespace LumaGateway.SystemTests.Door;

/// <summary>What a gateway says when it breaks down, and the search that the output of every gateway of these tests is put through. Needs nothing but the gateway.</summary>
public sealed class LastWordsTests
{
    private const string Token = "CANARYupstreamtoken5d41402a";
    private const string RedisPassword = "CANARYredispassword1f3870be";

    [Fact]
    public async Task A_gateway_that_breaks_down_tells_how_but_no_secret()
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
    public async Task A_gateway_whose_output_holds_a_secret_fails_its_test()
    {
        var gateway = await GatewayProcess.StartAsync(Settings(token: "listening")); // a word that it does say

        await Assert.ThrowsAnyAsync<XunitException>(async () => await gateway.DisposeAsync());
    }

    [Fact]
    public async Task A_start_where_nothing_can_be_written_warns_of_nothing()
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
