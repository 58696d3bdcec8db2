namespace LumaGateway.SystemTests.Start;

/// <summary>Messages for invalid settings.</summary>
public sealed class SettingsTests
{
    private const string Secret = "canary-4f1d";

    [Fact]
    public async Task All_invalid_settings_are_reported_together_without_a_stack_trace_or_secret()
    {
        await using var gateway = GatewayProcess.Launch(new Dictionary<string, string>
        {
            ["Luma:BaseAddress"] = "ftp://somewhere",
            ["Luma:Dialect"] = "klingon",
            ["Luma:ApiKey"] = $"{Secret} with a blank in it",
            ["Luma:Deadline"] = "01:00:00",
            ["Cache:MemoryBytes"] = "1",
            ["Cache:RedisTimeout"] = "00:01:00",
            ["Freshness:InterimMin"] = "00:00:20",
            ["Access:Clients:0:Name"] = "a name with blanks",
            ["Access:Clients:0:KeySha256"] = Secret,
            ["ConnectionStrings:Redis"] = $"localhost,password={Secret},nosuchsetting=1",
        });

        Assert.NotEqual(0, await gateway.WaitForExitAsync());

        string[] keys =
        [
            "Luma:BaseAddress", "Luma:Dialect", "Luma:ApiKey", "Luma:Deadline", "Cache:MemoryBytes", "Cache:RedisTimeout",
            "Freshness:InterimMin", "Access:Clients:0:Name", "Access:Clients:0:KeySha256", "ConnectionStrings:Redis",
        ];
        Assert.All(keys, key => Assert.Contains(key, gateway.Everything, StringComparison.Ordinal));
        Assert.DoesNotContain(Secret, gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", gateway.Everything, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Luma:Deadline", "soon")]
    [InlineData("Cache:MemoryBytes", "plenty")]
    [InlineData("Access:AllowAnonymous", "maybe")]
    public async Task An_unreadable_setting_is_reported(string key, string value)
    {
        await using var gateway = GatewayProcess.Launch(new Dictionary<string, string>
        {
            ["Luma:BaseAddress"] = "http://127.0.0.1:9/luma",
            ["Luma:ApiKey"] = Secret,
            ["Access:AllowAnonymous"] = "true",
            [key] = value,
        });

        Assert.NotEqual(0, await gateway.WaitForExitAsync());
        Assert.Contains(key, gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", gateway.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, gateway.Everything, StringComparison.Ordinal);
    }
}
