using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Redis;

/// <summary>Timeouts of Redis. Bound to <c>Cache</c>.</summary>
internal sealed class RedisResilienceOptions
{
    public const string Section = "Cache";

    /// <summary>How long a caller waits for one step of Redis.</summary>
    [Duration("Cache:RedisTimeout", "00:00:00.01", "00:00:05")]
    public TimeSpan RedisTimeout { get; set; } = TimeSpan.FromMilliseconds(150);

    /// <summary>How long Redis is not used after repeated failures.</summary>
    [Duration("Cache:RedisPause", "00:00:00.5", "00:01:00")]
    public TimeSpan RedisPause { get; set; } = TimeSpan.FromSeconds(2);
}

[OptionsValidator]
internal sealed partial class RedisResilienceOptionsValidator : IValidateOptions<RedisResilienceOptions>;
