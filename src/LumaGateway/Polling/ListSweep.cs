using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Asks about many watched generations by pages of the upstream's list, as long as a page answers for more than one of them. What the list
/// does not name is left to be asked about by itself. To be begun by one caller at a time.
/// </summary>
internal sealed partial class ListSweep(
    UpstreamClient upstream,
    GenerationReader reader,
    PollTargets table,
    PollRateLimiter budget,
    IOptions<WaitingOptions> options,
    IOptions<LumaOptions> luma,
    WaitingMetrics metrics,
    TimeProvider clock,
    MonotonicClock steady,
    ILogger<ListSweep> logger)
{
    private const int PageLength = 100;
    private const int Writers = 32;

    /// <summary>How long a list that did not pay, or is not there, is left alone; and how long one that lacks a generation is believed.</summary>
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(30);

    private readonly WaitingOptions _options = options.Value;
    private volatile bool _isRunning;
    private TimeSpan _nextAt;
    private TimeSpan _notBefore;
    private TimeSpan _allAgainAt;
    private int _allWere;

    public bool IsRunning => _isRunning;

    /// <summary>Whether a list is the cheaper way for so many.</summary>
    public bool Pays(int watched) => upstream.SupportsList && watched >= _options.ListFrom && steady.Now >= _notBefore;

    /// <summary>True where the list takes care of what is watched, but for those that it does not name.</summary>
    public bool TryBegin(IReadOnlyList<PollTarget> watched)
    {
        if (!Pays(watched.Count))
        {
            return false;
        }

        var now = steady.Now;
        if (!_isRunning && now >= _nextAt)
        {
            if (now >= _allAgainAt || watched.Count >= 2 * _allWere) // pages that did not pay for few may pay for many
            {
                (_allAgainAt, _allWere) = (now + TryAgainAfter, watched.Count);
                foreach (var watch in watched)
                {
                    watch.IsUnlisted = false;
                }
            }

            _nextAt = now + (_options.PollEvery * PollSchedule.Jitter());
            var wanted = watched.Where(watch => !watch.IsUnlisted).ToDictionary(watch => watch.Key.Id);
            _isRunning = true; // the sweep itself ends it, whatever happens
            _ = SweepAsync(wanted, now);
        }

        return true;
    }

    private async Task SweepAsync(Dictionary<string, PollTarget> wanted, TimeSpan now)
    {
        try
        {
            using var deadline = new Deadline(luma.Value.Deadline, clock);
            for (var (offset, pays) = (0, true); wanted.Count > 0 && pays;)
            {
                while (!budget.TrySpend())
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(50), clock, deadline.Token);
                }

                metrics.Polled(PollKind.List);
                var begun = reader.BeginAsking();
                var page = await upstream.ListAsync(PageLength, offset, Guid.NewGuid().ToString("N"), deadline);
                var found = new List<(Generation, PollTarget)>();
                foreach (var answer in page.Results)
                {
                    if (wanted.Remove(answer.Generation.Id, out var watch))
                    {
                        found.Add((answer.Generation, watch));
                    }
                }

                await KeepAsync(found, begun);
                offset += page.Length;
                pays = found.Count > 1 && page.HasMore && page.Length > 0;
            }

            foreach (var watch in wanted.Values)
            {
                watch.IsUnlisted = true;
            }
        }
        catch (UpstreamException exception)
        {
            if (exception.Fault is UpstreamFault.NotFound or UpstreamFault.Rejected or UpstreamFault.Malformed)
            {
                _notBefore = now + TryAgainAfter; // there is no such list; each is asked about by itself
            }
        }
        catch (OperationCanceledException)
        {
            // The next sweep begins where this one did.
        }
#pragma warning disable CA1031 // callers wait for the next sweep, whatever went wrong in this one
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

    /// <summary>Those that are finished first: somebody waits for them.</summary>
    private Task KeepAsync(List<(Generation Generation, PollTarget PollTarget)> found, FetchStart begun) => Parallel.ForEachAsync(
        found.OrderByDescending(one => one.Generation.IsTerminal),
        new ParallelOptions { MaxDegreeOfParallelism = Writers },
        async (one, _) =>
        {
            if (await reader.KeepAsync(one.Generation, begun) is { } entry)
            {
                table.Learn(entry);
            }
            else
            {
                one.PollTarget.IsUnlisted = true; // purged or deleted meanwhile: the list may be older than that
            }
        });

    private static partial class Log
    {
        [LoggerMessage(4171, LogLevel.Error, "Asking the upstream's list for callers that wait stumbled; it goes on.")]
        public static partial void SweepFailed(ILogger logger, Exception exception);
    }
}
