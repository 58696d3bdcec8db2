using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What a gateway holds for its callers, by its own metrics.</summary>
internal static class Leftovers
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The gauges that are zero when no caller is left.</summary>
    private static readonly string[] Gauges =
    [
        "luma_gateway_access_active", "luma_gateway_waiting_waiters", "luma_gateway_waiting_watched", "luma_gateway_upstream_active", "luma_gateway_upstream_queued",
    ];

    /// <summary>The gauges that are not zero, with their values; empty if none is.</summary>
    public static string In(string metrics) => string.Join(", ", Gauges.Select(name => (name, value: SumOf(metrics, name))).Where(gauge => gauge.value != 0).Select(gauge => $"{gauge.name} {gauge.value}"));

    /// <summary>Waits until every replica holds nothing.</summary>
    public static async Task CheckAsync(ChaosSystem system, Findings findings, TimeProvider clock)
    {
        using var scraper = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var replica in system.Replicas)
        {
            var begun = clock.GetTimestamp();
            string left;
            do
            {
                await Wait.ForAsync(TimeSpan.FromMilliseconds(200));
                left = In(await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{replica.ManagementPort}/metrics"), TestContext.Current.CancellationToken));
            }
            while (left.Length > 0 && clock.GetElapsedTime(begun) < Limit);

            findings.Check(Invariant.NothingIsLeft, left.Length == 0, () => $"Replica {replica.Number}: {left}");
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
