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

/// <summary>The metrics of Redis: connected, used, last response, dropped messages. Only with Redis.</summary>
internal sealed class RedisMetrics : IGatewayMetrics
{
    private readonly RedisConnection _redis;
    private readonly RedisState _state;
    private readonly Counter<long> _rejected;

    public RedisMetrics(IMeterFactory meters, RedisConnection redis, RedisState state)
    {
        (_redis, _state) = (redis, state);
        var meter = meters.Create(Instrumentation.Name);
        meter.CreateObservableGauge(
            "luma_gateway.redis.usable", ObserveUse, "{state}", "1 while Redis is used for the operation, 0 while its circuit breaker is open. Only with Redis.");
        meter.CreateObservableGauge(
            "luma_gateway.redis.connected", ObserveConnection, "{state}", "1 while the gateway is connected to Redis, otherwise 0. Only with Redis.");
        meter.CreateObservableGauge(
            "luma_gateway.redis.idle", ObserveIdleTime, "s", "Time since the last successful step of Redis. Only with Redis; grows without traffic.");
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

    private IEnumerable<Measurement<int>> ObserveUse() => !_redis.IsConfigured
        ? []
        :
        [
            new(_state.IsUsableFor(RedisUse.Read) ? 1 : 0, new KeyValuePair<string, object?>("luma_gateway.redis.operation", "read")),
            new(_state.IsUsableFor(RedisUse.Write) ? 1 : 0, new KeyValuePair<string, object?>("luma_gateway.redis.operation", "write")),
        ];

    /// <summary>Nothing once the gateway has closed the connection: the last export must not report a lost connection.</summary>
    private IEnumerable<Measurement<int>> ObserveConnection() => _redis is { IsConfigured: true, IsClosed: false } ? [new(_redis.IsConnected ? 1 : 0)] : [];

    private IEnumerable<Measurement<double>> ObserveIdleTime() =>
        _redis.IsConfigured ? [new(_state.IdleTime.TotalSeconds)] : [];

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
