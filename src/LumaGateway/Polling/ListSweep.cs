using LumaGateway.Problems;
using LumaGateway.Redis;
using LumaGateway.Time;
using LumaGateway.Upstreams;

namespace LumaGateway.Polling;

/// <summary>
/// Polls many generations of one account by reading pages of its list. Reads the next page while a page contains more than one poll target.
/// Targets that the list does not contain are polled one by one. In one interval one replica sweeps; the others take its entries from Redis. Only one
/// thread may call <see cref="TryStart"/> at a time.
/// </summary>
internal sealed partial class ListSweep(
    SweptList list, SweptEntries entries, IntervalLock interval, PollRateLimiter rateLimiter, PollSchedule schedule, MonotonicClock clock, ILogger<ListSweep> logger)
{
    private const int PageLength = 100;

    /// <summary>How long a list that failed is not read, and how long a target that the list did not contain is polled one by one.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);

    private volatile bool _isRunning;
    private TimeSpan _nextSweepAt;
    private TimeSpan _unavailableUntil;
    private TimeSpan _failedUntil;
    private TimeSpan _progressAt;
    private int _consecutiveFailures;
    private TimeSpan _resetAt;
    private int _targetCountAtReset;

    /// <summary>
    /// Starts a sweep if one is due. True if the list serves these targets, except those with <see cref="PollTarget.IsUnlisted"/>. False too while the list fails, or
    /// has not responded for two intervals.
    /// </summary>
    public bool TryStart(IReadOnlyList<PollTarget> polled)
    {
        var now = clock.Now;
        if (!schedule.IsListWorthwhile(polled.Count) || now < _unavailableUntil)
        {
            return false;
        }

        if (!_isRunning && now >= _nextSweepAt)
        {
            if (now >= _resetAt || polled.Count >= 2 * _targetCountAtReset) // a page with one target may contain more by now
            {
                (_resetAt, _targetCountAtReset) = (now + RetryInterval, polled.Count);
                foreach (var target in polled)
                {
                    target.IsUnlisted = false;
                }
            }

            (_nextSweepAt, _progressAt) = (schedule.NextSweep(), now);
            _isRunning = true; // RunAsync resets it in its finally block
            _ = RunAsync([.. polled.Where(target => !target.IsUnlisted)], now);
        }

        return now >= _failedUntil && !(_isRunning && schedule.IsOverdue(_progressAt));
    }

    private async Task RunAsync(List<PollTarget> polled, TimeSpan now)
    {
        try
        {
            if (await interval.TryStartAsync(list.LockName, schedule.SweepInterval))
            {
                await SweepAsync(polled.ToDictionary(target => target.Key.Value));
                (_consecutiveFailures, _failedUntil) = (0, TimeSpan.Zero);
            }
            else
            {
                await entries.ReadAsync(polled.Where(target => target.MissedSweeps > 1 || (!target.IsPolling && target.DueAt <= now)));
            }
        }
        catch (UpstreamException exception) when (exception.RetryAfter is not null || exception.Fault is UpstreamFault.CircuitOpen or UpstreamFault.Saturated)
        {
            // The upstream or the gateway has no capacity: polls of single generations would need more of it.
        }
        catch (UpstreamException exception) when (exception.Fault is UpstreamFault.NotFound or UpstreamFault.Rejected or UpstreamFault.Malformed)
        {
            _unavailableUntil = clock.Now + RetryInterval; // this upstream has no such list; targets are polled one by one
        }
        catch (Exception exception) when (exception is UpstreamException or OperationCanceledException)
        {
            RecordFailure();
        }
#pragma warning disable CA1031 // waiters depend on the next sweep, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            RecordFailure();
            Log.SweepFailed(logger, exception);
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <summary>A single failure costs less if the next sweep repeats it. After two, targets are polled one by one until a sweep succeeds, or 30 s after the last failure: another replica may sweep by then.</summary>
    private void RecordFailure()
    {
        if (++_consecutiveFailures > 1)
        {
            _failedUntil = clock.Now + RetryInterval;
        }
    }

    private async Task SweepAsync(Dictionary<string, PollTarget> remaining)
    {
        using var deadline = list.Account.Client.StartDeadline();
        for (var (offset, readsOn) = (0, true); remaining.Count > 0 && readsOn;)
        {
            try
            {
                var page = await ReadPageAsync(offset, remaining, deadline);
                (offset, readsOn, _progressAt) = (offset + page.Length, page.ReadsOn, clock.Now);
            }
            catch (Exception exception) when (offset > 0 && exception is OperationCanceledException or UpstreamException { RetryAfter: null, Fault: not (UpstreamFault.CircuitOpen or UpstreamFault.Saturated) })
            {
                foreach (var target in remaining.Values)
                {
                    target.IsUnlisted = ++target.MissedSweeps > 1; // the list serves the targets of the pages before
                }

                return;
            }
        }

        foreach (var target in remaining.Values)
        {
            target.IsUnlisted = true;
        }
    }

    /// <summary>Reads one page, stores its states and removes their targets from the remaining ones. Returns its length, and whether a further page may contain several of them.</summary>
    private async Task<(int Length, bool ReadsOn)> ReadPageAsync(int offset, Dictionary<string, PollTarget> remaining, Deadline deadline)
    {
        while (!rateLimiter.TryAcquire())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, deadline.Token);
        }

        var start = entries.StartPage();
        var page = await list.Account.Client.ListAsync(PageLength, offset, Guid.NewGuid().ToString("N"), deadline);
        var found = new List<(DialectResult Result, PollTarget? Target)>();
        foreach (var result in page.Results)
        {
            found.Add((result, remaining.Remove(result.Generation.Id, out var target) ? target : null));
        }

        await entries.StoreAsync(found, list.Account, start);
        return (page.Length, found.Count(one => one.Target is not null) > 1 && page.HasMore && page.Length > 0);
    }

    private static partial class Log
    {
        [LoggerMessage(4171, LogLevel.Error, "Polling the upstream's list failed. After two failures its generations are polled one by one, until the list succeeds.")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}

/// <summary>The list of one account.</summary>
/// <param name="Account">The account.</param>
/// <param name="LockName">The name of the lock that one replica takes for a sweep.</param>
internal sealed record SweptList(UpstreamAccount Account, string LockName);
