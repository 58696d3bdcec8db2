using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>The sizes and limits of both cache levels. Bound to <c>Cache</c>.</summary>
internal sealed class CacheOptions
{
    public const string Section = "Cache";

    /// <summary>The most that answers may take in memory, in bytes.</summary>
    [Number("Cache:MemoryBytes", 64 * 1024, 64L * 1024 * 1024 * 1024)]
    public long MemoryBytes { get; set; } = 128 * 1024 * 1024;

    /// <summary>With Redis: how long memory is believed before Redis is looked at again.</summary>
    [Duration("Cache:MemoryLifetime", "00:00:01", "00:01:00")]
    public TimeSpan MemoryLifetime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The life of the lock under which one replica fetches; it is renewed while the fetch runs.</summary>
    [Duration("Cache:LockLifetime", "00:00:01", "00:00:30")]
    public TimeSpan LockLifetime { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long callers wait for better than an old final answer; the fetch goes on without them.</summary>
    [Duration("Cache:CoverAfter", "00:00:00.1", "00:01:00")]
    public TimeSpan CoverAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>After a fault that a stale answer covered: how long until the upstream is asked for it again.</summary>
    [Duration("Cache:CoverRetry", "00:00:00.1", "00:05:00")]
    public TimeSpan CoverRetry { get; set; } = TimeSpan.FromSeconds(2);
}

[OptionsValidator]
internal sealed partial class CacheOptionsValidator : IValidateOptions<CacheOptions>;
