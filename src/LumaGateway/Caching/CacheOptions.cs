using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>Sizes and limits of both cache tiers. Bound to <c>Cache</c>.</summary>
internal sealed class CacheOptions
{
    public const string Section = "Cache";

    /// <summary>The maximum size of the entries in memory, in bytes.</summary>
    [Number("Cache:MemoryBytes", 64 * 1024, 64L * 1024 * 1024 * 1024)]
    public long MemoryBytes { get; set; } = 128 * 1024 * 1024;

    /// <summary>With Redis: how long an entry in memory is served before it is verified in Redis.</summary>
    [Duration("Cache:MemoryLifetime", "00:00:01", "00:01:00")]
    public TimeSpan MemoryLifetime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The life of the distributed lock; it is renewed while the fetch runs.</summary>
    [Duration("Cache:LockLifetime", "00:00:01", "00:00:30")]
    public TimeSpan LockLifetime { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long callers wait for a refresh before a stale final entry is served; the fetch continues.</summary>
    [Duration("Cache:StaleIfErrorAfter", "00:00:00.1", "00:01:00")]
    public TimeSpan StaleIfErrorAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The delay before the next refresh, after a refresh failed and a stale entry was served.</summary>
    [Duration("Cache:StaleIfErrorRetry", "00:00:00.1", "00:05:00")]
    public TimeSpan StaleIfErrorRetry { get; set; } = TimeSpan.FromSeconds(2);
}

[OptionsValidator]
internal sealed partial class CacheOptionsValidator : IValidateOptions<CacheOptions>;
