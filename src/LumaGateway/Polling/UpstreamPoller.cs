using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Asks the upstream about everything that callers wait for: one loop for all generations, on one replica for all of them. Sleeps while
/// nobody waits. What it learns goes into the cache and to whoever waits, on every replica.
/// </summary>
internal sealed partial class UpstreamPoller(
    PollTargets table,
    PollingLeader fleet,
    PollingMessages channel,
    ListSweep lists,
    GenerationReader reader,
    ResponseCache cache,
    PollSchedule schedule,
    PollRateLimiter budget,
    RetryAfterHold pause,
    IOptions<WaitingOptions> options,
    WaitingMetrics metrics,
    TimeProvider clock,
    MonotonicClock steady,
    ILogger<UpstreamPoller> logger) : BackgroundService
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(50);

    private readonly WaitingOptions _options = options.Value;
    private volatile TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>There may be news of a generation: where somebody waits for it, the upstream is asked soon, but never more often than the floor.</summary>
    public bool Hint(GenerationId id)
    {
        var key = new CacheKey(id.Value);
        if (table.Find(key) is not { IsDone: false } watch || !TryHint(watch))
        {
            return false;
        }

        _ = channel.SayNudgedAsync(key); // it never throws
        return true;
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        table.Joined += Wake;
        table.Changed += Tell;
        reader.Learned += table.Learn;
        channel.Changed += Hear;
        channel.Nudged += HearHint;
        channel.Wanted += HearWants;
        channel.Led += fleet.HearAnswer;
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await WaitAsync(stoppingToken);
                await TakeTurnAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }

        await fleet.RestAsync();
    }

    /// <summary>Until the next turn, or until there is something to do at once.</summary>
    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        var woken = _woken.Task;
        if (table.IsEmpty)
        {
            await fleet.RestAsync();
            await woken.WaitAsync(stoppingToken);
        }
        else
        {
            await Task.WhenAny(woken, Task.Delay(Turn, clock, stoppingToken));
        }

        stoppingToken.ThrowIfCancellationRequested();
        if (woken.IsCompleted)
        {
            _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task TakeTurnAsync()
    {
        try
        {
            var duty = await fleet.DecideAsync();
            await fleet.PublishAsync();
            foreach (var watch in table.All)
            {
                table.Drop(watch);
            }

            if (duty is not PollingDuty.None && pause.Remaining == TimeSpan.Zero)
            {
                Ask(duty);
            }
        }
#pragma warning disable CA1031 // callers wait for the next turn, whatever went wrong in this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.TurnFailed(logger, exception);
        }
    }

    /// <summary>Asks about what is due, the longest overdue first, as far as the budget goes.</summary>
    private void Ask(PollingDuty duty)
    {
        var now = steady.Now;
        var watched = table.All.Where(watch => !watch.IsDone && (duty is PollingDuty.Fleet || watch.IsWantedHere)).ToList();
        var isListed = lists.TryBegin(watched);
        var due = watched.Where(watch => !watch.IsBeingAsked && watch.DueAt <= now && (!isListed || watch.IsUnlisted));
        foreach (var watch in due.OrderBy(watch => watch.DueAt))
        {
            if (!budget.TrySpend())
            {
                return;
            }

            watch.IsBeingAsked = true;
            watch.AskedAt = now;
            _ = AskAsync(watch);
        }
    }

    private async Task AskAsync(PollTarget watch)
    {
        try
        {
            var halfway = clock.GetUtcNow() - (_options.PollEvery / 2); // younger than that, somebody else's answer saves this poll
            var notBefore = watch.HintedAt > halfway ? watch.HintedAt : halfway;
            var answer = await reader.RefreshAsync(GenerationId.Parse(watch.Key.Id, null), Guid.NewGuid().ToString("N"), notBefore);
            metrics.Polled(answer.Status is CacheStatus.Miss or CacheStatus.Stale ? PollKind.Single : PollKind.Spared);
            watch.Faults = 0;
            table.Learn(answer.Entry!);
        }
        catch (UpstreamException)
        {
            metrics.Polled(PollKind.Single);
            watch.DueAt = schedule.AfterFault(++watch.Faults); // counted and logged where it happened; waiters are told at their end
        }
#pragma warning disable CA1031 // callers wait for the next poll, whatever went wrong in this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            watch.DueAt = schedule.AfterFault(++watch.Faults);
            Log.TurnFailed(logger, exception);
        }
        finally
        {
            watch.IsBeingAsked = false;
        }
    }

    private void Wake() => _woken.TrySetResult();

    private void Tell(PollTarget watch, GenerationSnapshot news)
    {
        if (watch.IsWantedElsewhere(steady.Now))
        {
            _ = channel.SayChangedAsync(news.Entry); // it never throws
        }
    }

    private void Hear(CacheEntry entry)
    {
        if (table.Find(entry.Key) is { IsDone: false })
        {
            cache.RemoveInterim(entry.Key);
            table.Hear(entry);
            if (entry.Kind is EntryKind.Final)
            {
                _ = cache.PutAsync(entry, cache.Purges); // what callers here were told is known here; it never throws
            }
        }
    }

    private void HearWants(string replica, IReadOnlyList<Want> wants)
    {
        fleet.HearWants(replica, wants);
        Wake();
    }

    private void HearHint(CacheKey key)
    {
        if (table.Find(key) is { IsDone: false } watch)
        {
            TryHint(watch);
        }
    }

    /// <summary>However many hints come, one is taken in the time of the floor.</summary>
    private bool TryHint(PollTarget watch)
    {
        var now = steady.Now;
        if (!watch.TryTakeHint(now, _options.PollFloor))
        {
            return false;
        }

        var earliest = watch.AskedAt + _options.PollFloor;
        watch.HintedAt = clock.GetUtcNow();
        watch.DueAt = earliest > now ? earliest : now;
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(4161, LogLevel.Error, "The watch for callers that wait stumbled; it goes on.")]
        public static partial void TurnFailed(ILogger logger, Exception exception);
    }
}
