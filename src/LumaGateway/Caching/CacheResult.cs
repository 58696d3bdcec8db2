using LumaGateway.Problems;

namespace LumaGateway.Caching;

/// <summary>How an answer came about, in RFC 9211's words. The set is closed: it is a metric's attribute.</summary>
internal enum CacheStatus
{
    /// <summary>It was there, fresh.</summary>
    Hit,

    /// <summary>It was fetched for this caller.</summary>
    Miss,

    /// <summary>It was fetched for another caller, who was joined.</summary>
    Collapsed,

    /// <summary>A final answer past its freshness covers a fault of the upstream.</summary>
    Stale,
}

/// <summary>Where an answer was found. The set is closed: it is a metric's attribute.</summary>
internal enum CacheTier
{
    /// <summary>Nowhere: it was fetched.</summary>
    None,

    /// <summary>In this process.</summary>
    Memory,

    /// <summary>In Redis, where another replica had put it.</summary>
    Shared,
}

/// <summary>What the cache says: an entry, or the fault that kept it from having one, or both when the entry covers the fault.</summary>
internal readonly record struct CacheResult(CacheEntry? Entry, CacheStatus Status, CacheTier Level, UpstreamException? Fault = null)
{
    /// <summary>The same answer, for one who joined the flight.</summary>
    public CacheResult Joined() => Status is CacheStatus.Miss ? this with { Status = CacheStatus.Collapsed } : this;
}
