using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Caching;

/// <summary>Metrics of the cache. Attribute values come from closed sets.</summary>
internal sealed class CacheMetrics : IGatewayMetrics
{
    private static readonly (CacheStatus, CacheTier)[] Combinations =
    [
        (CacheStatus.Hit, CacheTier.Memory), (CacheStatus.Hit, CacheTier.Redis), (CacheStatus.Miss, CacheTier.None),
        (CacheStatus.Collapsed, CacheTier.None), (CacheStatus.Collapsed, CacheTier.Memory), (CacheStatus.Collapsed, CacheTier.Redis),
        (CacheStatus.Stale, CacheTier.Memory),
    ];

    private readonly Counter<long> _results;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _corrupt;
    private readonly Counter<long> _purges;
    private readonly Histogram<double> _lockWait;
    private long _saved;

    public CacheMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Instrumentation.Name);
        _results = meter.CreateCounter<long>("luma_gateway.cache.results", "{result}", "Results of the cache, by status and by the tier where the entry was found.");
        _faults = meter.CreateCounter<long>("luma_gateway.cache.faults", "{result}", "Results without an entry: the fetch failed and no stale entry could be served.");
        meter.CreateObservableCounter("luma_gateway.cache.saved", () => Volatile.Read(ref _saved), "{request}", "Upstream requests saved: hits and joined fetches.");
        _corrupt = meter.CreateCounter<long>("luma_gateway.cache.corrupt", "{entry}", "Entries in Redis that were dropped: damaged, of another key, of the wrong kind, or not authenticated.");
        _purges = meter.CreateCounter<long>("luma_gateway.cache.purges", "{purge}", "Purges by callers.");
        _lockWait = meter.CreateHistogram(
            "luma_gateway.cache.lock.wait",
            "s",
            "How long a fetch waited for the distributed lock or for the entry of another replica.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30] });
    }

    public void Initialize()
    {
        _faults.Add(0);
        _corrupt.Add(0);
        _purges.Add(0);
        foreach (var (status, tier) in Combinations)
        {
            Count(0, status, tier);
        }
    }

    public void RecordResult(CacheResult result)
    {
        if (result.Entry is null)
        {
            _faults.Add(1);
            return;
        }

        Count(1, result.Status, result.Tier);
        if (result.Status is CacheStatus.Hit or CacheStatus.Collapsed)
        {
            Interlocked.Increment(ref _saved); // incremented with every hit, observed at collection
        }
    }

    public void RecordCorrupt() => _corrupt.Add(1);

    public void RecordPurge() => _purges.Add(1);

    public void RecordLockWait(TimeSpan wait) => _lockWait.Record(wait.TotalSeconds);

    internal static string NameOf(CacheStatus status) => status switch
    {
        CacheStatus.Hit => "hit",
        CacheStatus.Miss => "miss",
        CacheStatus.Collapsed => "collapsed",
        CacheStatus.Stale => "stale",
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };

    internal static string NameOf(CacheTier tier) => tier switch
    {
        CacheTier.None => "none",
        CacheTier.Memory => "memory",
        CacheTier.Redis => "redis",
        _ => throw new ArgumentOutOfRangeException(nameof(tier)),
    };

    private void Count(int count, CacheStatus status, CacheTier tier) => _results.Add(
        count,
        new KeyValuePair<string, object?>("luma_gateway.cache.status", NameOf(status)),
        new KeyValuePair<string, object?>("luma_gateway.cache.tier", NameOf(tier)));
}
