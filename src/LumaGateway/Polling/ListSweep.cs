using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Polls many generations by reading pages of the upstream's list. Reads the next page while a page contains more than one poll target.
/// Targets that the list does not contain are polled one by one. Only one thread may call <see cref="TryStart"/> at a time.
/// </summary>
internal sealed partial class ListSweep(
    UpstreamClient upstream,
    GenerationReader reader,
    PollTargets targets,
    PollRateLimiter rateLimiter,
    IOptions<WaitingOptions> options,
    IOptions<LumaOptions> luma,
    WaitingMetrics metrics,
    TimeProvider clock,
    MonotonicClock steady,
    ILogger<ListSweep> logger)
{
    private const int PageLength = 100;
    private const int MaxParallelWrites = 32;

    /// <summary>How long a list that failed is not read, and how long a target that the list did not contain is polled one by one.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);

    private readonly WaitingOptions _options = options.Value;
    private volatile bool _isRunning;
    private TimeSpan _nextSweepAt;
    private TimeSpan _unavailableUntil;
    private TimeSpan _resetAt;
    private int _targetCountAtReset;

    public bool IsRunning => _isRunning;

    /// <summary>True if the upstream has a list, and the list costs fewer requests for this number of targets.</summary>
    public bool IsWorthwhile(int targetCount) => upstream.SupportsList && targetCount >= _options.ListFrom && steady.Now >= _unavailableUntil;

    /// <summary>Starts a sweep if one is due. True if the list serves these targets, except those with <see cref="PollTarget.IsUnlisted"/>.</summary>
    public bool TryStart(IReadOnlyList<PollTarget> polled)
    {
        if (!IsWorthwhile(polled.Count))
        {
            return false;
        }

        var now = steady.Now;
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

            _nextSweepAt = now + (_options.PollEvery * PollSchedule.Jitter());
            var remaining = polled.Where(target => !target.IsUnlisted).ToDictionary(target => target.Key.Value);
            _isRunning = true; // SweepAsync resets it in its finally block
            _ = SweepAsync(remaining, now);
        }

        return true;
    }

    private async Task SweepAsync(Dictionary<string, PollTarget> remaining, TimeSpan now)
    {
        try
        {
            using var deadline = new Deadline(luma.Value.Deadline, clock);
            for (var (offset, readsOn) = (0, true); remaining.Count > 0 && readsOn;)
            {
                while (!rateLimiter.TryAcquire())
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(50), clock, deadline.Token);
                }

                metrics.Polled(PollKind.List);
                var start = reader.StartFetch();
                var page = await upstream.ListAsync(PageLength, offset, Guid.NewGuid().ToString("N"), deadline);
                var found = new List<(Generation, PollTarget)>();
                foreach (var result in page.Results)
                {
                    if (remaining.Remove(result.Generation.Id, out var target))
                    {
                        found.Add((result.Generation, target));
                    }
                }

                await StoreAsync(found, start);
                offset += page.Length;
                readsOn = found.Count > 1 && page.HasMore && page.Length > 0;
            }

            foreach (var target in remaining.Values)
            {
                target.IsUnlisted = true;
            }
        }
        catch (UpstreamException exception)
        {
            if (exception.Fault is UpstreamFault.NotFound or UpstreamFault.Rejected or UpstreamFault.Malformed)
            {
                _unavailableUntil = now + RetryInterval; // this upstream has no such list; targets are polled one by one
            }
        }
        catch (OperationCanceledException)
        {
            // The deadline has passed; the next sweep starts at the first page.
        }
#pragma warning disable CA1031 // waiters depend on the next sweep, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.SweepFailed(logger, exception);
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <summary>Stores terminal generations first: they end waits.</summary>
    private Task StoreAsync(List<(Generation Generation, PollTarget Target)> found, FetchStart start) => Parallel.ForEachAsync(
        found.OrderByDescending(one => one.Generation.IsTerminal),
        new ParallelOptions { MaxDegreeOfParallelism = MaxParallelWrites },
        async (one, _) =>
        {
            if (await reader.StoreListedAsync(one.Target.Key, one.Generation, start) is { } entry)
            {
                targets.Update(entry);
            }
            else
            {
                one.Target.IsUnlisted = true; // purged or deleted since the list was requested: the list may be older
            }
        });

    private static partial class Log
    {
        [LoggerMessage(4171, LogLevel.Error, "Polling the upstream's list failed; it is repeated after Waiting:PollEvery.")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}
