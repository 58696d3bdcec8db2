using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Polls the upstream for all generations with waiters, in one loop, on one replica for all replicas. The loop sleeps while there are no
/// targets. Results go into the cache and wake the waiters on every replica.
/// </summary>
internal sealed partial class UpstreamPoller(
    PollTargets targets,
    PollingLeader leader,
    PollingMessages messages,
    ListSweep lists,
    GenerationReader reader,
    ResponseCache cache,
    PollSchedule schedule,
    PollRateLimiter rateLimiter,
    RetryAfterHold hold,
    IOptions<WaitingOptions> options,
    WaitingMetrics metrics,
    TimeProvider clock,
    MonotonicClock steady,
    ILogger<UpstreamPoller> logger) : BackgroundService
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    private readonly WaitingOptions _options = options.Value;
    private volatile TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Takes a callback as a hint that the generation changed, and polls it soon. False if it has no waiters, is terminal, or had a hint less than
    /// <c>Waiting:PollFloor</c> ago.
    /// </summary>
    public bool TryHint(GenerationId id)
    {
        var key = id;
        if (targets.Find(key) is not { IsTerminal: false } target || !TryAcceptHint(target))
        {
            return false;
        }

        _ = messages.PublishHintAsync(key); // does not throw
        return true;
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        targets.LocalTargetAdded += Wake;
        targets.StateChanged += OnStateChanged;
        reader.EntryRead += targets.Update;
        messages.EntryReceived += OnEntryReceived;
        messages.HintReceived += OnHintReceived;
        messages.TargetsAnnounced += OnTargetsAnnounced;
        messages.Acknowledged += leader.OnAcknowledged;
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await WaitForTickAsync(stoppingToken);
                await RunTickAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }

        await leader.ReleaseAsync();
    }

    private async Task WaitForTickAsync(CancellationToken stoppingToken)
    {
        var woken = _woken.Task;
        if (targets.IsEmpty)
        {
            await leader.ReleaseAsync();
            await woken.WaitAsync(stoppingToken);
        }
        else
        {
            await Task.WhenAny(woken, Task.Delay(TickInterval, clock, stoppingToken));
        }

        stoppingToken.ThrowIfCancellationRequested();
        if (woken.IsCompleted)
        {
            _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task RunTickAsync()
    {
        try
        {
            var scope = await leader.DecideAsync();
            await leader.PublishAsync();
            foreach (var target in targets.All)
            {
                targets.RemoveIfUnused(target);
            }

            if (scope is not PollingScope.None && hold.Remaining == TimeSpan.Zero)
            {
                StartDuePolls(scope);
            }
        }
#pragma warning disable CA1031 // waiters depend on the next tick, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.TickFailed(logger, exception);
        }
    }

    /// <summary>Starts the polls that are due, the longest overdue first, as far as the rate limit allows.</summary>
    private void StartDuePolls(PollingScope scope)
    {
        var now = steady.Now;
        var polled = targets.All.Where(target => !target.IsTerminal && (scope is PollingScope.AllReplicas || target.HasWaiters)).ToList();
        var isListUsed = lists.TryStart(polled);
        var due = polled.Where(target => !target.IsPolling && target.DueAt <= now && (!isListUsed || target.IsUnlisted));
        foreach (var target in due.OrderBy(target => target.DueAt))
        {
            if (!rateLimiter.TryAcquire())
            {
                return;
            }

            target.IsPolling = true;
            target.PolledAt = now;
            _ = PollAsync(target);
        }
    }

    private async Task PollAsync(PollTarget target)
    {
        try
        {
            var halfInterval = clock.GetUtcNow() - (_options.PollEvery / 2); // a younger entry, read by any caller, replaces this poll
            var notBefore = target.HintedAt > halfInterval ? target.HintedAt : halfInterval;
            var result = await reader.RefreshAsync(target.Key, Guid.NewGuid().ToString("N"), notBefore);
            metrics.Polled(result.Status is CacheStatus.Miss or CacheStatus.Stale ? PollKind.Single : PollKind.Cached);
            target.ConsecutiveFaults = 0;
            targets.Update(result.Entry!);
        }
        catch (UpstreamException)
        {
            // UpstreamClient counts and logs the fault. A waiter gets it only if it still holds at the end of the wait.
            metrics.Polled(PollKind.Single);
            target.DueAt = schedule.AfterFault(++target.ConsecutiveFaults);
        }
#pragma warning disable CA1031 // waiters depend on the next poll, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            target.DueAt = schedule.AfterFault(++target.ConsecutiveFaults);
            Log.TickFailed(logger, exception);
        }
        finally
        {
            target.IsPolling = false;
        }
    }

    private void Wake() => _woken.TrySetResult();

    private void OnStateChanged(PollTarget target, GenerationSnapshot snapshot)
    {
        if (target.HasRemoteWaiters(steady.Now))
        {
            _ = messages.PublishEntryAsync(snapshot.Entry); // does not throw
        }
    }

    private void OnEntryReceived(CacheEntry entry)
    {
        if (targets.Find(entry.Key) is { IsTerminal: false })
        {
            cache.RemoveInterim(entry.Key);
            targets.UpdateFromReplica(entry);
            if (entry.Kind is EntryKind.Final)
            {
                _ = cache.PutAsync(entry, cache.Purges); // later reads here must agree with what waiters got; does not throw
            }
        }
    }

    private void OnTargetsAnnounced(string replica, IReadOnlyList<AnnouncedTarget> announced)
    {
        leader.OnTargetsAnnounced(replica, announced);
        Wake();
    }

    private void OnHintReceived(GenerationId key)
    {
        if (targets.Find(key) is { IsTerminal: false } target)
        {
            TryAcceptHint(target);
        }
    }

    private bool TryAcceptHint(PollTarget target)
    {
        var now = steady.Now;
        if (!target.TryAcceptHint(now, _options.PollFloor))
        {
            return false;
        }

        var earliest = target.PolledAt + _options.PollFloor;
        target.HintedAt = clock.GetUtcNow();
        target.DueAt = earliest > now ? earliest : now;
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(4161, LogLevel.Error, "Polling loop failed; it continues with the next tick.")]
        public static partial void TickFailed(ILogger logger, Exception exception);
    }
}
