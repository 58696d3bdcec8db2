using System.Globalization;
using System.Net;

namespace LumaGateway.SystemTests.Operations;

/// <summary>The bytes that a miss in memory mode allocates, server and HTTP client included, by the runtime's own counter. Needs nothing.</summary>
public sealed class MissCostTests
{
    private const int Misses = 2000;

    /// <summary>A build for debugging allocates more: its asynchronous methods are objects from their start.</summary>
    private static readonly double MaxBytes = GatewayProgram.Tested == GatewayProgram.Assembly ? 18_000 : 12_288;

    [Fact]
    public async Task A_miss_allocates_few_bytes()
    {
        await using var sandbox = await SandboxProcess.StartAsync("--Sandbox:PublicUrl=http://assets.test");
        var (group, management) = await FreePort.UseAsync(async port =>
            (await ReplicaGroup.StartAsync(sandbox, 1, null, ("Management:Port", port.ToString(CultureInfo.InvariantCulture))), port));
        await using var _ = group;
        var gateway = group.Replicas[0];
        await MissAsync(gateway, "warm-up");

        // The minimum of three rounds: a scrape or a timer of the runtime allocates too.
        var bytes = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var before = await AllocatedAsync(management);
            await MissAsync(gateway, $"round-{round}");
            bytes = Math.Min(bytes, (await AllocatedAsync(management) - before) / Misses);
        }

        Assert.InRange(bytes, 1000, MaxBytes);
    }

    private static async Task MissAsync(GatewayProcess gateway, string name)
    {
        for (var i = 0; i < Misses; i++)
        {
            using var response = await gateway.Client.GetAsync(new Uri($"/generations/done-{name}-{i}", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    private static async Task<double> AllocatedAsync(int management)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var metrics = await client.GetStringAsync(new Uri($"http://127.0.0.1:{management}/metrics"), TestContext.Current.CancellationToken);
        var line = metrics.Split('\n').Single(line => line.StartsWith("dotnet_gc_heap_total_allocated_bytes_total{", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
    }
}
