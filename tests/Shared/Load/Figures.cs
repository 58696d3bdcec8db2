using System.Globalization;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>Statuses and durations of responses. Thread-safe.</summary>
internal sealed class Figures
{
    private readonly List<(int Status, TimeSpan Took, string? CacheStatus)> _responses = [];

    public int Count => Locked(() => _responses.Count);

    /// <summary>The number of responses with status 500 or higher, or without a response (0).</summary>
    public int Failed => Locked(() => _responses.Count(response => response.Status is 0 or >= 500));

    public TimeSpan Longest => Percentile(100);

    public TimeSpan P99 => Percentile(99);

    public TimeSpan P50 => Percentile(50);

    public void Add(int status, TimeSpan took, string? cacheStatus = null)
    {
        lock (_responses)
        {
            _responses.Add((status, took, cacheStatus));
        }
    }

    public int With(Func<int, bool> status) => Locked(() => _responses.Count(response => status(response.Status)));

    public TimeSpan Percentile(double percent) => Locked(() =>
    {
        var sorted = _responses.Select(response => response.Took).Order().ToList();
        return sorted.Count == 0 ? TimeSpan.Zero : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * percent / 100) - 1)];
    });

    public override string ToString()
    {
        var statuses = Grouped(response => response.Status.ToString(CultureInfo.InvariantCulture));
        var cache = Grouped(response => response.CacheStatus);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Count} requests ({statuses}); p50 {P50.TotalMilliseconds:0} ms, p99 {P99.TotalMilliseconds:0} ms, longest {Longest.TotalMilliseconds:0} ms{(cache.Length > 0 ? $"; {cache}" : "")}");
    }

    private string Grouped(Func<(int Status, TimeSpan Took, string? CacheStatus), string?> by) => Locked(() => string.Join(", ", _responses
        .Select(by)
        .OfType<string>()
        .CountBy(value => value)
        .OrderByDescending(group => group.Value)
        .Select(group => $"{group.Key} × {group.Value}")));

    private T Locked<T>(Func<T> read)
    {
        lock (_responses)
        {
            return read();
        }
    }
}
