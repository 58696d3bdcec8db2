using System.Globalization;

namespace LumaGateway.Caching;

/// <summary>What headers say of an entry's freshness during one second of its life: written once, sent with every hit in it. Immutable.</summary>
internal sealed class FreshnessHeaders
{
    private const string NotToBeKept = "private, no-cache";

    public FreshnessHeaders(EntryKind kind, long ttl)
    {
        Ttl = ttl;
        CacheControl = kind is EntryKind.Final && ttl > 0 ? string.Create(CultureInfo.InvariantCulture, $"private, max-age={ttl}") : NotToBeKept;
        HitStatus = string.Create(CultureInfo.InvariantCulture, $"LumaGateway; hit; ttl={ttl}");
        RetryAfter = kind is EntryKind.Interim ? Math.Clamp(ttl + 1, 1, 60).ToString(CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Whole seconds of freshness left, rounded down; negative past it.</summary>
    public long Ttl { get; }

    /// <summary><c>Cache-Control</c>, RFC 9111, section 5.2.</summary>
    public string CacheControl { get; }

    /// <summary><c>Cache-Status</c> of a hit, RFC 9211, section 2.</summary>
    public string HitStatus { get; }

    /// <summary><c>Retry-After</c>, seconds; null where asking again makes no sense.</summary>
    public string? RetryAfter { get; }
}
