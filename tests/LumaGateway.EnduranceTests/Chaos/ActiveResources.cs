using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The resources that a gateway uses for callers, from its metrics.</summary>
internal static class ActiveResources
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The gauges that are zero without callers.</summary>
    private static readonly string[] Gauges =
    [
        "luma_gateway_access_active", "luma_gateway_waiting_waiters", "luma_gateway_waiting_targets", "luma_gateway_upstream_active", "luma_gateway_upstream_queued",
    ];

    /// <summary>The gauges that are not zero, with their values; empty if none is.</summary>
    public static string NonZeroIn(string metrics) => string.Join(", ", Gauges.Select(name => (name, value: SumOf(metrics, name))).Where(gauge => gauge.value != 0).Select(gauge => $"{gauge.name} {gauge.value}"));

    /// <summary>Waits until all gauges of every replica are zero.</summary>
    public static async Task CheckAsync(ChaosSystem system, Findings findings, TimeProvider clock)
    {
        using var scraper = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var replica in system.Replicas)
        {
            var started = clock.GetTimestamp();
            string active;
            do
            {
                await Wait.ForAsync(TimeSpan.FromMilliseconds(200));
                active = NonZeroIn(await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/metrics"), TestContext.Current.CancellationToken));
            }
            while (active.Length > 0 && clock.GetElapsedTime(started) < Limit);

            findings.Check(Invariant.NoResourceLeaks, active.Length == 0, () => $"Replica {replica.Number}: {active}");
        }
    }

    private static double SumOf(string metrics, string name)
    {
        var lines = metrics.Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
            .ToList();
        Assert.True(lines.Count > 0, $"There is no metric {name}.\n{metrics}");
        return lines.Sum(line => double.Parse(line[(line.LastIndexOf('}') + 1)..].Replace(name, "", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));
    }
}
