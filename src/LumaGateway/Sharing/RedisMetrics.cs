using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Sharing;

/// <summary>What Redis is used for. The set is closed: it is a metric's attribute.</summary>
internal enum RedisUse
{
    Read,
    Write,
}

/// <summary>What is known of Redis: whether it is there, whether it is used, when it was last heard. Only with Redis.</summary>
internal sealed class RedisMetrics
{
    private readonly bool[] _isUsable = [true, true]; // by RedisUse
    private readonly RedisConnection _redis;
    private readonly TimeProvider _clock;
    private long _heardAt;

    public RedisMetrics(IMeterFactory meters, RedisConnection redis, TimeProvider clock)
    {
        (_redis, _clock, _heardAt) = (redis, clock, clock.GetTimestamp());
        var meter = meters.Create(Instrumentation.Name);
        meter.CreateObservableGauge(
            "luma_gateway.redis.usable", ObserveUse, "{state}", "1 while Redis is used for the operation, 0 while it is left alone. Only with Redis.");
        meter.CreateObservableGauge(
            "luma_gateway.redis.connected", ObserveConnection, "{state}", "1 while there is a connection to Redis, else 0. Only with Redis.");
        meter.CreateObservableGauge(
            "luma_gateway.redis.silence", ObserveSilence, "s", "Time since Redis last did what it was asked to. Only with Redis; grows while nobody asks.");
    }

    /// <summary>Whether Redis is used for everything just now, and left alone for nothing.</summary>
    public bool IsUsable => IsUsableFor(RedisUse.Read) && IsUsableFor(RedisUse.Write);

    public void Heard() => Volatile.Write(ref _heardAt, _clock.GetTimestamp());

    /// <summary>True where that is news.</summary>
    public bool Turned(RedisUse use, bool usable) => Interlocked.Exchange(ref _isUsable[(int)use], usable) != usable;

    private bool IsUsableFor(RedisUse use) => Volatile.Read(ref _isUsable[(int)use]);

    private IEnumerable<Measurement<int>> ObserveUse() => !_redis.IsConfigured
        ? []
        :
        [
            new(IsUsableFor(RedisUse.Read) ? 1 : 0, new KeyValuePair<string, object?>("luma_gateway.redis.operation", "read")),
            new(IsUsableFor(RedisUse.Write) ? 1 : 0, new KeyValuePair<string, object?>("luma_gateway.redis.operation", "write")),
        ];

    private IEnumerable<Measurement<int>> ObserveConnection() => _redis.IsConfigured ? [new(_redis.IsConnected ? 1 : 0)] : [];

    private IEnumerable<Measurement<double>> ObserveSilence() =>
        _redis.IsConfigured ? [new(_clock.GetElapsedTime(Volatile.Read(ref _heardAt)).TotalSeconds)] : [];
}
