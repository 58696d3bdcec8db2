using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Polls the jobs that hold a slot while creates wait for a slot in this replica, and for a minute after one has found none: a job that no caller reads would otherwise hold its slot until it expires. Each
/// round polls every job once; <c>Waiting:PollEvery</c> is the pause between two rounds. A poll of any replica within that time counts. The order is random, so that
/// no job is always the last: creates may stop waiting before the end of a round.
/// </summary>
internal sealed partial class SlotPoller(
    JobSlots slots, UpstreamAccounts accounts, GenerationReader reader, PollRateLimiter rateLimiter, IOptions<WaitingOptions> options, TimeProvider clock, ILogger<SlotPoller> logger)
    : BackgroundService
{
    /// <summary>How often the rate limit is asked for the next poll.</summary>
    private static readonly TimeSpan TokenInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>The jobs whose poll has not ended.</summary>
    private readonly ConcurrentDictionary<GenerationId, bool> _polling = new();

    /// <summary>The jobs that the upstream did not know at their last poll, with the time of that request.</summary>
    private readonly ConcurrentDictionary<GenerationId, DateTimeOffset> _absentAt = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.Value.PollEvery, clock, stoppingToken);
                foreach (var (account, id) in await FindJobsAsync())
                {
                    await StartPollAsync(account, id, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops. If the start fails, the host would log the exception as critical.
        }
    }

    /// <summary>The jobs that hold a slot of a saturated account, of all accounts in random order.</summary>
    private async Task<(string Account, GenerationId Id)[]> FindJobsAsync()
    {
        var jobs = new List<(string Account, GenerationId Id)>();
        foreach (var account in slots.SaturatedAccounts)
        {
            jobs.AddRange((await slots.HoldersAsync(account)).Select(id => (account, id)));
        }

        foreach (var id in _absentAt.Keys.Except(jobs.Select(static job => job.Id)))
        {
            _absentAt.TryRemove(id, out _);
        }

        var shuffled = jobs.ToArray();
        Random.Shared.Shuffle(shuffled);
        return shuffled;
    }

    /// <summary>
    /// Starts the poll of a job, unless its last one has not ended, its account is no longer saturated, or the <c>Retry-After</c> of its account has not passed. Waits for the rate limit, but not for the poll: one without a response must not delay the others.
    /// </summary>
    private async Task StartPollAsync(string account, GenerationId id, CancellationToken stoppingToken)
    {
        while (!_polling.ContainsKey(id) && slots.SaturatedAccounts.Contains(account) && accounts.Find(account) is { Hold.Remaining.Ticks: 0 })
        {
            if (rateLimiter.TryAcquire())
            {
                _polling[id] = true; // the poll removes it
                _ = PollAsync(account, id, stoppingToken);
                return;
            }

            await Task.Delay(TokenInterval, clock, stoppingToken);
        }
    }

    /// <summary>Ends the slot of a job if it has ended. Does not throw.</summary>
    private async Task PollAsync(string account, GenerationId id, CancellationToken stoppingToken)
    {
        var notBefore = clock.GetUtcNow() - (options.Value.PollEvery * 0.9);
        try
        {
            var result = await reader.RefreshAsync(id, Guid.NewGuid().ToString("N"), notBefore).WaitAsync(stoppingToken);
            if (result.Status is not (CacheStatus.Miss or CacheStatus.Stale))
            {
                rateLimiter.Return();
            }

            if (result.Entry is { } entry && HasEnded(id, entry))
            {
                await slots.ReleaseAsync(account, id); // also if the entry was in the cache
            }
        }
        catch (UpstreamException)
        {
            // The next poll repeats it.
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops.
        }
#pragma warning disable CA1031 // waiting creates depend on the next poll, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.PollFailed(logger, exception);
        }
        finally
        {
            _polling.TryRemove(id, out _);
        }
    }

    /// <summary>
    /// Whether the job is final, or the upstream has twice not known it, in two requests: an upstream may show a new generation late. <see cref="PollTarget.TryUpdate"/> has the same rule.
    /// </summary>
    private bool HasEnded(GenerationId id, CacheEntry entry)
    {
        if (new GenerationSnapshot(entry).Summary is { } summary)
        {
            _absentAt.TryRemove(id, out _);
            return summary.IsFinal;
        }

        return _absentAt.GetOrAdd(id, entry.RequestedAt) != entry.RequestedAt;
    }

    private static partial class Log
    {
        [LoggerMessage(4181, LogLevel.Error, "Polling a job that holds a slot of its account failed; it is polled again after Waiting:PollEvery.")]
        public static partial void PollFailed(ILogger logger, Exception exception);
    }
}
