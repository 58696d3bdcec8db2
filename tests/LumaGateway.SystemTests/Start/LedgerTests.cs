namespace LumaGateway.SystemTests.Start;

/// <summary>Warnings of the service and of <c>--check</c> if Redis may evict idempotency records.</summary>
public sealed class LedgerTests
{
    [Theory]
    [InlineData("allkeys-lru", "noeviction", false)]
    [InlineData("noeviction", "volatile-lru", true)]
    [InlineData("allkeys-lru", null, true)]
    public async Task A_ledger_with_an_evicting_policy_causes_a_warning(string cachePolicy, string? ledgerPolicy, bool isWarned)
    {
        RedisServer.Require();
        await using var cache = await RedisServer.StartAsync("--maxmemory-policy", cachePolicy);
        await using var ledger = await RedisServer.StartAsync("--maxmemory-policy", ledgerPolicy ?? "noeviction");
        await using var sandbox = await SandboxProcess.StartAsync();
        var settings = new Dictionary<string, string>(ReplicaGroup.SettingsFor(sandbox, cache.Endpoint))
        {
            ["ConnectionStrings:Ledger"] = ledgerPolicy is null ? string.Empty : ledger.Endpoint,
            ["Logging:LogLevel:LumaGateway.Sharing"] = "Debug",
        };

        await using var check = GatewayProcess.Launch(settings, "--check");
        Assert.Equal(0, await check.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        var line = Assert.Single(check.Output, line => line.Contains("  ledger  ", StringComparison.Ordinal));
        Assert.Equal(isWarned, line.Contains("WARNING: its maxmemory-policy is", StringComparison.Ordinal));
        Assert.Equal(!isWarned, line.Contains("Responds; its maxmemory-policy is noeviction.", StringComparison.Ordinal));

        await using var gateway = await GatewayProcess.StartAsync(settings);
        if (isWarned)
        {
            await Wait.UntilAsync(() => Task.FromResult(IsWarned()), TimeSpan.FromSeconds(60), () => $"No warning.\n{gateway.Log}");
        }

        Assert.Equal(isWarned, IsWarned());
        Assert.DoesNotContain("could not be read", gateway.Log, StringComparison.Ordinal);

        bool IsWarned() => gateway.Log.Contains("ConnectionStrings:Ledger (infra/redis.md)", StringComparison.Ordinal);
    }
}
