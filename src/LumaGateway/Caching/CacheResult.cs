using LumaGateway.Problems;

namespace LumaGateway.Caching;

/// <summary>How a result was obtained, in the words of RFC 9211. The set is closed: it is a metric attribute.</summary>
internal enum CacheStatus
{
    /// <summary>A fresh entry was found.</summary>
    Hit,

    /// <summary>The entry was fetched for this request.</summary>
    Miss,

    /// <summary>The entry was fetched for another request, which this one joined.</summary>
    Collapsed,

    /// <summary>A stale final entry is served over an upstream fault.</summary>
    Stale,
}

/// <summary>Where an entry was found. The set is closed: it is a metric attribute.</summary>
internal enum CacheTier
{
    /// <summary>Not found: the entry was fetched.</summary>
    None,

    /// <summary>In memory.</summary>
    Memory,

    /// <summary>In Redis.</summary>
    Redis,
}

/// <summary>The result of a cache lookup: an entry, the fault of a failed fetch, or both if the entry is served stale.</summary>
internal readonly record struct CacheResult(CacheEntry? Entry, CacheStatus Status, CacheTier Tier, UpstreamException? Fault = null)
{
    /// <summary>The same result for a request that joined the fetch.</summary>
    public CacheResult Joined() => Status is CacheStatus.Miss ? this with { Status = CacheStatus.Collapsed } : this;
}
