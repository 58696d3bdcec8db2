using System.Text.Json;
using LumaGateway.Hosting;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Status;

/// <summary>
/// Announces this replica in Redis every 5 s and reads the announcements of all others, for the status page. An announcement lives for 15 s, so a replica that is gone
/// leaves the list by itself. Does nothing without Redis or without a management port. Thread-safe.
/// </summary>
internal sealed class ReplicaDirectory(
    RedisConnection connection, RedisResilience resilience, RedisKeyspace keyspace, RedisSigner signer, HealthCheckService health, IOptions<ManagementOptions> management, TimeProvider clock)
    : BackgroundService
{
    /// <summary>The maximum number of replicas that are read, and of bytes in one announcement.</summary>
    private const int MaxReplicas = 100;
    private const int MaxBytes = 4096;

    private const string Subject = "@replicas"; // no generation id contains '@'

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(15);

    private readonly string _instance = $"{Name}-{Guid.NewGuid():N}"; // two processes on one machine have the same name
    private readonly RedisKey _index = keyspace.NameOf(Subject, "index");
    private volatile IReadOnlyList<ReplicaBody>? _current;

    public static string Name => Environment.MachineName;

    public DateTimeOffset StartedAt { get; } = clock.GetUtcNow();

    /// <summary>The replicas at the last reading, by name and start; null if Redis is not configured or was not usable.</summary>
    public IReadOnlyList<ReplicaBody>? Current => _current;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (IsEnabled)
        {
            await resilience.WriteAsync(async () => await (await DatabaseAsync()).KeyDeleteAsync(NameOf(_instance)), false);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (IsEnabled && !stoppingToken.IsCancellationRequested)
        {
            var report = HealthBody.Of(await health.CheckHealthAsync(stoppingToken));
            var announcement = new ReplicaBody(Name, StartedAt, Instrumentation.Version, report.Status, report.Checks);
            await resilience.WriteAsync(() => AnnounceAsync(announcement), true);
            (_current, _) = await resilience.ReadAsync(ReadAsync, null);
            await Task.Delay(Interval, clock, stoppingToken);
        }
    }

    private bool IsEnabled => connection.IsConfigured && management.Value.Port is not null;

    private async Task<IDatabase> DatabaseAsync() => (await connection.GetAsync()).GetDatabase();

    private string NameOf(string instance) => keyspace.NameOf(Subject, instance);

    private async Task<bool> AnnounceAsync(ReplicaBody announcement)
    {
        var redis = await DatabaseAsync();
        var name = NameOf(_instance);
        var json = JsonSerializer.SerializeToUtf8Bytes(announcement, StatusJson.Default.ReplicaBody);
        await Task.WhenAll(
            redis.StringSetAsync(name, signer.Sign(SignedKind.Message, name, json), Lifetime),
            redis.SetAddAsync(_index, _instance),
            redis.KeyExpireAsync(_index, Lifetime));
        return true;
    }

    /// <summary>Reads all announcements, and removes the names of expired ones from the index.</summary>
    private async Task<IReadOnlyList<ReplicaBody>?> ReadAsync()
    {
        var redis = await DatabaseAsync();
        var instances = await redis.SetRandomMembersAsync(_index, MaxReplicas);
        var values = await redis.StringGetAsync([.. instances.Select(instance => (RedisKey)NameOf(instance!))]);
        var expired = instances.Where((_, i) => values[i].IsNull).ToArray();
        if (expired.Length > 0)
        {
            await redis.SetRemoveAsync(_index, expired);
        }

        return
        [
            .. instances.Zip(values, (instance, value) => Parse(NameOf(instance!), value)).OfType<ReplicaBody>()
                .OrderBy(replica => replica.Name, StringComparer.Ordinal).ThenBy(replica => replica.StartedAt),
        ];
    }

    /// <summary>Returns null for an announcement that is too large, malformed or not authenticated.</summary>
    private ReplicaBody? Parse(string name, RedisValue value)
    {
        if (value.IsNull || value.Length() > MaxBytes || !signer.TryVerify(SignedKind.Message, name, (byte[])value!, out var json))
        {
            return null;
        }

        try
        {
            var replica = JsonSerializer.Deserialize(json, StatusJson.Default.ReplicaBody);
            return replica is { Name: not null, Version: not null, Health: not null, Checks: not null } ? replica : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
