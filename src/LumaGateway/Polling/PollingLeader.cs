using LumaGateway.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>Which generations this replica polls.</summary>
internal enum PollingScope
{
    /// <summary>None: another replica polls.</summary>
    None,

    /// <summary>Those with waiters on this replica: no other replica is known to poll them.</summary>
    ThisReplica,

    /// <summary>Those with waiters on any replica.</summary>
    AllReplicas,
}

/// <summary>
/// Elects the replica that polls for all: the one that holds a lease in Redis. Every replica announces its targets every two seconds, and the
/// leader acknowledges. A replica that gets no acknowledgement, or cannot reach Redis, polls its own targets. <see cref="DecideAsync"/> and
/// <see cref="PublishAsync"/> are not for concurrent callers.
/// </summary>
internal sealed partial class PollingLeader(
    ReplicaLease lease,
    PollingMessages messages,
    RedisConnection redis,
    PollTargets targets,
    IOptions<WaitingOptions> options,
    WaitingMetrics metrics,
    MonotonicClock clock,
    ILogger<PollingLeader> logger)
{
    private const string LeaseName = "watch";

    private static readonly TimeSpan LeaseInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AnnouncementInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AcknowledgementInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long an announcement or an acknowledgement counts: two consecutive messages may be lost.</summary>
    private static readonly TimeSpan MessageLifetime = TimeSpan.FromSeconds(6);

    /// <summary>Bounds the memory that messages of other replicas can take.</summary>
    private const int MaxReplicas = 1000;

    /// <inheritdoc cref="MaxReplicas"/>
    private const int MaxTargets = 1_000_000;

    private readonly Dictionary<string, TimeSpan> _replicas = [];
    private readonly Lock _gate = new();
    private LeaseResult _leaseResult = LeaseResult.Unknown;
    private bool _wasRefused;
    private TimeSpan _nextLeaseAttemptAt;
    private TimeSpan _nextAnnouncementAt;
    private TimeSpan _nextAcknowledgementAt;
    private TimeSpan _acknowledgedUntil;

    public PollingScope Scope { get; private set; } = PollingScope.None;

    public async Task<PollingScope> DecideAsync()
    {
        if (!redis.IsConfigured)
        {
            return Scope = PollingScope.AllReplicas;
        }

        var now = clock.Now;
        if (targets.LocalCount > 0 && (now >= _nextLeaseAttemptAt || _leaseResult is LeaseResult.Held != lease.IsHeld))
        {
            if (Scope is PollingScope.None && _leaseResult is LeaseResult.Unknown)
            {
                _acknowledgedUntil = now + MessageLifetime; // the leader needs time to receive the first announcement
            }

            await TryTakeLeaseAsync(now);
        }

        Scope = lease.IsHeld ? PollingScope.AllReplicas
            : _leaseResult is LeaseResult.Refused && now < _acknowledgedUntil ? PollingScope.None
            : PollingScope.ThisReplica;
        return Scope;
    }

    /// <summary>Announces this replica's targets: new ones at once, all of them every two seconds. The leader also acknowledges announcements.</summary>
    public async Task PublishAsync()
    {
        if (!redis.IsConfigured)
        {
            return;
        }

        var now = clock.Now;
        var announcesAll = now >= _nextAnnouncementAt;
        var announced = targets.All.Where(target => (announcesAll || !target.IsAnnounced) && !target.IsTerminal && target.HasWaiters).ToList();
        if (announcesAll)
        {
            _nextAnnouncementAt = now + AnnouncementInterval;
        }

        foreach (var target in announced)
        {
            target.IsAnnounced = true;
        }

        if (announced.Count > 0)
        {
            await messages.PublishTargetsAsync(announced.Select(target => new AnnouncedTarget(target.Key, target.Snapshot?.StateCode ?? GenerationSnapshot.UnknownStateCode)));
        }

        if (Scope is PollingScope.AllReplicas && now >= _nextAcknowledgementAt)
        {
            _nextAcknowledgementAt = now + AcknowledgementInterval;
            if (AnnouncingReplicas(now) is { Count: > 0 } replicas)
            {
                await messages.PublishAcknowledgementAsync(replicas);
            }
        }
    }

    /// <summary>
    /// Takes another replica's announcement. The leader sends it every state that it does not know. Beyond <see cref="MaxReplicas"/> or <see cref="MaxTargets"/> the
    /// announcement is dropped: that replica gets no acknowledgement, and polls its own targets.
    /// </summary>
    public void OnTargetsAnnounced(string replica, IReadOnlyList<AnnouncedTarget> announced)
    {
        var until = clock.Now + MessageLifetime;
        lock (_gate)
        {
            RemoveExpiredReplicas(clock.Now);
            if ((_replicas.Count >= MaxReplicas && !_replicas.ContainsKey(replica)) || targets.Count + announced.Count > MaxTargets)
            {
                return;
            }

            _replicas[replica] = until;
        }

        foreach (var one in announced)
        {
            var target = targets.AddRemote(one.Key, until);
            if (Scope is PollingScope.AllReplicas && target.Snapshot is { } snapshot && snapshot.StateCode != one.StateCode)
            {
                _ = messages.PublishEntryAsync(snapshot.Entry); // does not throw
            }
        }
    }

    public void OnAcknowledged(IReadOnlyList<string> replicas)
    {
        if (replicas.Contains(messages.ReplicaId))
        {
            _acknowledgedUntil = clock.Now + MessageLifetime;
        }
    }

    /// <summary>Releases the lease, so that another replica can take it at once: this one has no targets, or stops.</summary>
    public async Task ReleaseAsync()
    {
        await lease.ReleaseAsync();
        (_leaseResult, _wasRefused, Scope, _nextLeaseAttemptAt) = (LeaseResult.Unknown, false, PollingScope.None, default);
    }

    private async Task TryTakeLeaseAsync(TimeSpan now)
    {
        _nextLeaseAttemptAt = now + (LeaseInterval * PollSchedule.Jitter());
        _leaseResult = await lease.TryAcquireAsync(LeaseName, options.Value.LeaseLifetime);
        if (_leaseResult is LeaseResult.Refused)
        {
            _wasRefused = true;
        }
        else if (_leaseResult is LeaseResult.Held && _wasRefused)
        {
            _wasRefused = false;
            metrics.TookOver();
            Log.TookOver(logger);
        }
    }

    private List<string> AnnouncingReplicas(TimeSpan now)
    {
        lock (_gate)
        {
            RemoveExpiredReplicas(now);
            return [.. _replicas.Keys];
        }
    }

    private void RemoveExpiredReplicas(TimeSpan now)
    {
        foreach (var (replica, until) in _replicas)
        {
            if (now >= until)
            {
                _replicas.Remove(replica);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4151, LogLevel.Information, "This replica now polls the upstream for all replicas; the replica before it stopped or lost its lease.")]
        public static partial void TookOver(ILogger logger);
    }
}
