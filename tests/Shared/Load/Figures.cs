using System.Globalization;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>What callers saw: how many got which status, and how long it took them.</summary>
internal sealed class Figures
{
    private readonly List<(int Status, TimeSpan Took, string? CacheStatus)> _answers = [];

    public int Count => Locked(() => _answers.Count);

    /// <summary>Requests that no usable answer came to: a status from 500 on, or none at all (0).</summary>
    public int Failed => Locked(() => _answers.Count(answer => answer.Status is 0 or >= 500));

    public TimeSpan Longest => Percentile(100);

    public TimeSpan P99 => Percentile(99);

    public TimeSpan P50 => Percentile(50);

    public void Add(int status, TimeSpan took, string? cacheStatus = null)
    {
        lock (_answers)
        {
            _answers.Add((status, took, cacheStatus));
        }
    }

    public int With(Func<int, bool> status) => Locked(() => _answers.Count(answer => status(answer.Status)));

    public TimeSpan Percentile(double percent) => Locked(() =>
    {
        var sorted = _answers.Select(answer => answer.Took).Order().ToList();
        return sorted.Count == 0 ? TimeSpan.Zero : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * percent / 100) - 1)];
    });

    public override string ToString()
    {
        var statuses = Grouped(answer => answer.Status.ToString(CultureInfo.InvariantCulture));
        var cache = Grouped(answer => answer.CacheStatus);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Count} requests ({statuses}); p50 {P50.TotalMilliseconds:0} ms, p99 {P99.TotalMilliseconds:0} ms, longest {Longest.TotalMilliseconds:0} ms{(cache.Length > 0 ? $"; {cache}" : "")}");
    }

    private string Grouped(Func<(int Status, TimeSpan Took, string? CacheStatus), string?> by) => Locked(() => string.Join(", ", _answers
        .Select(by)
        .OfType<string>()
        .CountBy(value => value)
        .OrderByDescending(group => group.Value)
        .Select(group => $"{group.Key} × {group.Value}")));

    private T Locked<T>(Func<T> read)
    {
        lock (_answers)
        {
            return read();
        }
    }
}
