using System.Diagnostics.Metrics;
using LumaGateway.Telemetry;

namespace LumaGateway.Redis;

/// <summary>The kinds of Redis use. The set is closed: it is a metric attribute.</summary>
internal enum RedisUse
{
    Read,
    Write,
}

/// <summary>Why a message between replicas was dropped. The set is closed: it is a metric attribute.</summary>
internal enum RejectReason
{
    /// <summary>It does not have the format of this version.</summary>
    Malformed,

    /// <summary>It exceeds the limits of bytes or words.</summary>
    Oversized,

    /// <summary>No key of <c>Cache:SigningKey</c> verifies it.</summary>
    Unauthenticated,

    /// <summary>It was signed more than a minute ago, or by a replica whose clock is off by more than that.</summary>
    Expired,
}

/// <summary>State and metrics of Redis: connected, used, last response. Only with Redis.</summary>
internal sealed class RedisMetrics : IGatewayMetrics
{
    private readonly bool[] _isUsable = [true, true]; // indexed by RedisUse
    private readonly RedisConnection _redis;
    private readonly TimeProvider _clock;
    private readonly Counter<long> _rejected;
    private long _lastResponseAt;

    public RedisMetrics(IMeterFactory meters, RedisConnection redis, TimeProvider clock)
    {
        (_redis, _clock, _lastResponseAt) = (redis, clock, clock.GetTimestamp());
        var meter = meters.Create(Instrumentation.Name);
        meter.CreateObservableGauge(
            "luma_gateway.redis.usable", ObserveUse, "{state}", "1 while Redis is used for the operation, 0 while its circuit breaker is open. Only with Redis.");
        meter.CreateObservableGauge(
            "luma_gateway.redis.connected", ObserveConnection, "{state}", "1 while the gateway is connected to Redis, otherwise 0. Only with Redis.");
        meter.CreateObservableGauge(
            "luma_gateway.redis.silence", ObserveSilence, "s", "Time since the last successful step of Redis. Only with Redis; grows without traffic.");
        _rejected = meter.CreateCounter<long>("luma_gateway.redis.rejected", "{message}", "Messages between replicas that were dropped, by reason. Only with Redis.");
    }

    public void Initialize()
    {
        if (_redis.IsConfigured)
        {
            foreach (var reason in Enum.GetValues<RejectReason>())
            {
                Count(0, reason);
            }
        }
    }

    /// <summary>A message was dropped.</summary>
    public void RecordRejected(RejectReason reason) => Count(1, reason);

    /// <summary>Whether Redis is used for reads and writes.</summary>
    public bool IsUsable => IsUsableFor(RedisUse.Read) && IsUsableFor(RedisUse.Write);

    public void RecordResponse() => Volatile.Write(ref _lastResponseAt, _clock.GetTimestamp());

    /// <summary>Returns true if the state changed.</summary>
    public bool SetUsable(RedisUse use, bool usable) => Interlocked.Exchange(ref _isUsable[(int)use], usable) != usable;

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
        _redis.IsConfigured ? [new(_clock.GetElapsedTime(Volatile.Read(ref _lastResponseAt)).TotalSeconds)] : [];

    private void Count(int count, RejectReason reason) => _rejected.Add(count, new KeyValuePair<string, object?>("luma_gateway.redis.reason", NameOf(reason)));

    private static string NameOf(RejectReason reason) => reason switch
    {
        RejectReason.Malformed => "malformed",
        RejectReason.Oversized => "oversized",
        RejectReason.Unauthenticated => "unauthenticated",
        RejectReason.Expired => "expired",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };
}
