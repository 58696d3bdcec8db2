using System.Globalization;

namespace LumaGateway.Caching;

/// <summary>The freshness headers of an entry during one second: built once, sent with every hit. Immutable.</summary>
internal sealed class FreshnessHeaders
{
    private const string NoCache = "private, no-cache";

    public FreshnessHeaders(EntryKind kind, long ttl)
    {
        Ttl = ttl;
        CacheControl = kind is EntryKind.Final && ttl > 0 ? string.Create(CultureInfo.InvariantCulture, $"private, max-age={ttl}") : NoCache;
        RetryAfter = kind is EntryKind.Interim ? Math.Clamp(ttl + 1, 1, 60).ToString(CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Remaining freshness, whole seconds rounded down; negative if stale.</summary>
    public long Ttl { get; }

    /// <summary><c>Cache-Control</c>, RFC 9111, section 5.2.</summary>
    public string CacheControl { get; }

    /// <summary><c>Cache-Status</c> of a hit, RFC 9211, section 2.</summary>
    public string HitStatus => field ??= string.Create(CultureInfo.InvariantCulture, $"LumaGateway; hit; ttl={Ttl}");

    /// <summary><c>Retry-After</c>, seconds; null unless the entry is interim.</summary>
    public string? RetryAfter { get; }
}
