using LumaGateway.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>For whom this replica asks the upstream.</summary>
internal enum PollingDuty
{
    /// <summary>For nobody: another replica does.</summary>
    None,

    /// <summary>For its own callers: it cannot reach the others.</summary>
    Alone,

    /// <summary>For the whole fleet.</summary>
    Fleet,
}

/// <summary>
/// Decides which replica asks the upstream for all of them: the one that holds a lease in Redis. The others tell it every two seconds what
/// they wait for and how much they know; it answers that it heard them. A replica that is not heard, or cannot reach Redis, looks after
/// its own callers itself. To be asked by one caller at a time.
/// </summary>
internal sealed partial class PollingLeader(
    ReplicaLease lease,
    PollingMessages channel,
    RedisConnection redis,
    PollTargets table,
    IOptions<WaitingOptions> options,
    WaitingMetrics metrics,
    MonotonicClock clock,
    ILogger<PollingLeader> logger)
{
    private const string LeaseName = "watch";

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SayEvery = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AnswerEvery = TimeSpan.FromSeconds(1);

    /// <summary>Two messages may be lost before a replica's wants, or the answer to them, are taken to have ended.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    /// <summary>The most replicas that are heard, and the most generations that are watched: messages must not fill the memory.</summary>
    private const int MostReplicas = 1000;

    private const int MostWatches = 1_000_000;

    private readonly Dictionary<string, TimeSpan> _replicas = [];
    private readonly Lock _gate = new();
    private LeaseResult _answer = LeaseResult.Unknown;
    private bool _wasRefused;
    private TimeSpan _lookAt;
    private TimeSpan _sayAt;
    private TimeSpan _answerAt;
    private TimeSpan _heardUntil;

    public PollingDuty Duty { get; private set; } = PollingDuty.None;

    public async Task<PollingDuty> DecideAsync()
    {
        if (!redis.IsConfigured)
        {
            return Duty = PollingDuty.Fleet;
        }

        var now = clock.Now;
        if (table.WantedHere > 0 && (now >= _lookAt || _answer is LeaseResult.Held != lease.IsHeld))
        {
            if (Duty is PollingDuty.None && _answer is LeaseResult.Unknown)
            {
                _heardUntil = now + Patience; // a new waiter gives the others time to hear of it
            }

            await LookAsync(now);
        }

        Duty = lease.IsHeld ? PollingDuty.Fleet
            : _answer is LeaseResult.Refused && now < _heardUntil ? PollingDuty.None
            : PollingDuty.Alone;
        return Duty;
    }

    /// <summary>Tells the others what is waited for here: what is new at once, and everything every two seconds.</summary>
    public async Task PublishAsync()
    {
        if (!redis.IsConfigured)
        {
            return;
        }

        var now = clock.Now;
        var isTime = now >= _sayAt;
        var wants = table.All.Where(watch => (isTime || !watch.IsAnnounced) && !watch.IsDone && watch.IsWantedHere).ToList();
        if (isTime)
        {
            _sayAt = now + SayEvery;
        }

        foreach (var watch in wants)
        {
            watch.IsAnnounced = true;
        }

        if (wants.Count > 0)
        {
            await channel.SayWantedAsync(wants.Select(watch => new Want(watch.Key, watch.GenerationSnapshot?.Letter ?? PollTarget.Unknown)));
        }

        if (Duty is PollingDuty.Fleet && now >= _answerAt)
        {
            _answerAt = now + AnswerEvery;
            if (Heard(now) is { Count: > 0 } heard)
            {
                await channel.SayLedAsync(heard);
            }
        }
    }

    /// <summary>
    /// Another replica waits. What it does not know is told to it, by the replica that asks. Beyond <see cref="MostReplicas"/> and <see cref="MostWatches"/>, which no fleet
    /// reaches, it is not heard, and looks after its own callers itself.
    /// </summary>
    public void HearWants(string replica, IReadOnlyList<Want> wants)
    {
        var until = clock.Now + Patience;
        lock (_gate)
        {
            RemovePassed(clock.Now);
            if ((_replicas.Count >= MostReplicas && !_replicas.ContainsKey(replica)) || table.Count + wants.Count > MostWatches)
            {
                return;
            }

            _replicas[replica] = until;
        }

        foreach (var want in wants)
        {
            var watch = table.WantElsewhere(want.Key, until);
            if (Duty is PollingDuty.Fleet && watch.GenerationSnapshot is { } news && news.Letter != want.Known)
            {
                _ = channel.SayChangedAsync(news.Entry); // it never throws
            }
        }
    }

    public void HearAnswer(IReadOnlyList<string> replicas)
    {
        if (replicas.Contains(channel.Self))
        {
            _heardUntil = clock.Now + Patience;
        }
    }

    /// <summary>Nobody waits any more, or the service stops: another replica may take over at once.</summary>
    public async Task RestAsync()
    {
        await lease.ReleaseAsync();
        (_answer, _wasRefused, Duty, _lookAt) = (LeaseResult.Unknown, false, PollingDuty.None, default);
    }

    private async Task LookAsync(TimeSpan now)
    {
        _lookAt = now + (LookEvery * PollSchedule.Jitter());
        _answer = await lease.TryAcquireAsync(LeaseName, options.Value.LeaseLifetime);
        if (_answer is LeaseResult.Refused)
        {
            _wasRefused = true;
        }
        else if (_answer is LeaseResult.Held && _wasRefused)
        {
            _wasRefused = false;
            metrics.TookOver();
            Log.TookOver(logger);
        }
    }

    private List<string> Heard(TimeSpan now)
    {
        lock (_gate)
        {
            RemovePassed(now);
            return [.. _replicas.Keys];
        }
    }

    private void RemovePassed(TimeSpan now)
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
        [LoggerMessage(4151, LogLevel.Information, "This replica now asks the upstream for all that callers of the fleet wait for; the one before fell silent or left.")]
        public static partial void TookOver(ILogger logger);
    }
}
