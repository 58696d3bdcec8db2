using LumaGateway.Problems;
using LumaGateway.Time;
using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>
/// Runs the commands of the ledger. A write is complete when Redis and its replicas that are online have it (<c>WAIT</c>), so that a failover does not lose it. Every method
/// throws <see cref="LedgerUnavailableException"/> if Redis does not confirm. Thread-safe.
/// </summary>
internal sealed partial class LedgerDatabase(RedisConnection connection, LedgerMetrics metrics, TimeProvider clock, ILogger<LedgerDatabase> logger)
{
    /// <summary>The limit on one command. Longer than the cache waits: without a record a create must not be sent.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    /// <summary>How long a write waits for the replicas of Redis. After it the write counts, although a failover can lose it.</summary>
    private static readonly TimeSpan ReplicationTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the number of the replicas of Redis is kept. Writes do not wait for a replica that joined in this time.</summary>
    private static readonly TimeSpan CountLifetime = TimeSpan.FromSeconds(1);

    private readonly TokenBucket _warnings = new(clock);
    private volatile Replication? _replication;

    public async Task<T> ReadAsync<T>(Func<IDatabase, Task<T>> command, CancellationToken cancellationToken = default) =>
        await RunAsync(async redis => await command(redis.GetDatabase())).WaitAsync(cancellationToken);

    /// <param name="command">The write.</param>
    /// <param name="requiredReplicas">How many replicas must confirm the write, by its result; null for none. With fewer, the write counts as not confirmed.</param>
    public Task<T> WriteAsync<T>(Func<IDatabase, Task<T>> command, Func<T, int>? requiredReplicas = null) => RunAsync(async redis =>
    {
        var result = await command(redis.GetDatabase());
        var required = requiredReplicas?.Invoke(result) ?? 0;
        var confirmed = await WaitForReplicasAsync(redis, required);
        if (confirmed >= required)
        {
            return result;
        }

        _ = connection.DiscoverRolesAsync(); // two servers may claim to be the master
        if (_warnings.TryTake(1, 1, out _))
        {
            Log.TooFewReplicas(logger, confirmed, required);
        }

        throw new LedgerUnavailableException();
    });

    /// <summary>The number of replicas of the ledger's master that are online.</summary>
    public Task<int> CountReplicasAsync() => RunAsync(async redis => (await ReadReplicationAsync(redis)).Replicas);

    private async Task<T> RunAsync<T>(Func<IConnectionMultiplexer, Task<T>> command)
    {
        try
        {
            var redis = await connection.GetAsync().WaitAsync(Timeout, clock);
            return await command(redis).WaitAsync(Timeout, clock);
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            _ = connection.DiscoverRolesAsync(); // not awaited: it handles the failures of Redis
            throw new LedgerUnavailableException(exception);
        }
    }

    /// <summary>
    /// <c>WAIT</c> on the connection of the write: it counts the replicas that have all earlier writes of this connection. Does not wait if fewer replicas than
    /// required are online, because <c>WAIT</c> holds the commands behind it. Returns how many confirmed.
    /// </summary>
    private async Task<int> WaitForReplicasAsync(IConnectionMultiplexer redis, int required)
    {
        if (_replication is not { Master: not null } replication || replication.Replicas < required || clock.GetElapsedTime(replication.ReadAt) > CountLifetime)
        {
            _replication = replication = await ReadReplicationAsync(redis);
        }

        var expected = Math.Max(replication.Replicas, required);
        if (expected == 0)
        {
            return 0;
        }

        var confirmed = replication.Master is { } master && replication.Replicas >= required
            ? (int)await master.ExecuteAsync("WAIT", expected, (int)ReplicationTimeout.TotalMilliseconds)
            : 0;
        if (confirmed < expected)
        {
            _replication = null; // a replica may have left
            metrics.RecordUnreplicated();
            if (confirmed >= required && _warnings.TryTake(1, 1, out _))
            {
                Log.NotReplicated(logger, confirmed, expected);
            }
        }

        return confirmed;
    }

    /// <summary>The master that holds the ledger's hash slot, and the number of its replicas.</summary>
    private async Task<Replication> ReadReplicationAsync(IConnectionMultiplexer redis)
    {
        var masters = redis.GetServers().Where(server => server is { IsConnected: true, IsReplica: false }).ToList();
        var master = masters is [var only] ? only : masters.Find(server => server.ClusterConfiguration?.GetBySlot(LedgerConnection.Prefix)?.EndPoint?.Equals(server.EndPoint) is true);
        var info = master is null ? null : (string?)await master.ExecuteAsync("INFO", "replication");
        return new Replication(master, CountReplicas(info ?? ""), clock.GetTimestamp());
    }

    /// <summary>The replicas that are online. One that is loading its first copy does not confirm writes.</summary>
    private static int CountReplicas(string info) => info.Split('\n')
        .Count(static line => line.StartsWith("slave", StringComparison.Ordinal) && line.Contains("state=online", StringComparison.Ordinal));

    private sealed record Replication(IServer? Master, int Replicas, long ReadAt);

    private static partial class Log
    {
        [LoggerMessage(2033, LogLevel.Warning, "{Confirmed} of {Replicas} replicas of the ledger's Redis confirmed a write in time; a failover now can lose it, and a create with its Idempotency-Key could be billed twice. Check the replication (docs/jobs.md). Logged at most once a second.")]
        public static partial void NotReplicated(ILogger logger, int confirmed, int replicas);

        [LoggerMessage(2034, LogLevel.Warning, "{Confirmed} replicas of the ledger's Redis confirmed the claim of an Idempotency-Key, but Jobs:LedgerReplicas requires {Required}. The create was refused and not sent. Check the replication (docs/jobs.md). Logged at most once a second.")]
        public static partial void TooFewReplicas(ILogger logger, int confirmed, int required);
    }
}
