using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Caching;

/// <summary>Metrics of the cache. Attribute values come from closed sets.</summary>
internal sealed class CacheMetrics : ISeries
{
    private static readonly (CacheStatus, CacheTier)[] Possible =
    [
        (CacheStatus.Hit, CacheTier.Memory), (CacheStatus.Hit, CacheTier.Shared), (CacheStatus.Miss, CacheTier.None),
        (CacheStatus.Collapsed, CacheTier.None), (CacheStatus.Collapsed, CacheTier.Memory), (CacheStatus.Collapsed, CacheTier.Shared),
        (CacheStatus.Stale, CacheTier.Memory),
    ];

    private readonly Counter<long> _answers;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _corrupt;
    private readonly Counter<long> _purges;
    private readonly Histogram<double> _lockWait;
    private long _saved;

    public CacheMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _answers = meter.CreateCounter<long>("luma_gateway.cache.answers", "{answer}", "Answers given, by how they came about and where they were found.");
        _faults = meter.CreateCounter<long>("luma_gateway.cache.faults", "{answer}", "Callers told of an upstream fault that nothing covered.");
        meter.CreateObservableCounter("luma_gateway.cache.saved", () => Volatile.Read(ref _saved), "{request}", "Upstream reads that callers did not cost: hits and joined fetches.");
        _corrupt = meter.CreateCounter<long>("luma_gateway.cache.corrupt", "{entry}", "Entries in Redis that did not read back whole, were another's, or were not authenticated.");
        _purges = meter.CreateCounter<long>("luma_gateway.cache.purges", "{purge}", "Answers forgotten by demand.");
        _lockWait = meter.CreateHistogram(
            "luma_gateway.cache.lock.wait",
            "s",
            "Time a fetch waited for another replica's.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30] });
    }

    public void Begin()
    {
        _faults.Add(0);
        _corrupt.Add(0);
        _purges.Add(0);
        foreach (var (status, level) in Possible)
        {
            Count(0, status, level);
        }
    }

    public void Answered(CacheResult answer)
    {
        if (answer.Entry is null)
        {
            _faults.Add(1);
            return;
        }

        Count(1, answer.Status, answer.Level);
        if (answer.Status is CacheStatus.Hit or CacheStatus.Collapsed)
        {
            Interlocked.Increment(ref _saved); // incremented with every hit, observed at collection
        }
    }

    public void FoundCorrupt() => _corrupt.Add(1);

    public void Purged() => _purges.Add(1);

    public void WaitedForLock(TimeSpan waited) => _lockWait.Record(waited.TotalSeconds);

    internal static string NameOf(CacheStatus status) => status switch
    {
        CacheStatus.Hit => "hit",
        CacheStatus.Miss => "miss",
        CacheStatus.Collapsed => "collapsed",
        CacheStatus.Stale => "stale",
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };

    internal static string NameOf(CacheTier level) => level switch
    {
        CacheTier.None => "none",
        CacheTier.Memory => "memory",
        CacheTier.Shared => "redis",
        _ => throw new ArgumentOutOfRangeException(nameof(level)),
    };

    private void Count(int answers, CacheStatus status, CacheTier level) => _answers.Add(
        answers,
        new KeyValuePair<string, object?>("luma_gateway.cache.status", NameOf(status)),
        new KeyValuePair<string, object?>("luma_gateway.cache.level", NameOf(level)));
}
