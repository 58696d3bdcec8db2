using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Polling;

/// <summary>
/// Polls the jobs that hold a slot while creates wait for a slot in this replica, every <c>Waiting:PollEvery</c>: a job that nobody reads would otherwise hold its slot
/// until it expires. A poll of any replica within the interval counts. The order is random: a low <c>Luma:MaxPollsPerSecond</c> would otherwise never reach the last jobs.
/// </summary>
internal sealed partial class SlotPoller(
    JobSlots slots, GenerationReader reader, PollRateLimiter rateLimiter, IOptions<WaitingOptions> options, TimeProvider clock, ILogger<SlotPoller> logger) : BackgroundService
{
    /// <summary>The jobs whose poll has not ended.</summary>
    private readonly ConcurrentDictionary<GenerationId, bool> _polling = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.Value.PollEvery, clock, stoppingToken);
                foreach (var account in slots.AccountsWithWaiters)
                {
                    await StartPollsAsync(account, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service stops. If the start fails, the host would log the exception as critical.
        }
    }

    /// <summary>Starts the polls of all jobs, as far as the rate limit allows. Does not wait for them: one without a response must not delay the others. A job whose last poll has not ended is left out.</summary>
    private async Task StartPollsAsync(string account, CancellationToken stoppingToken)
    {
        var notBefore = clock.GetUtcNow() - (options.Value.PollEvery * 0.9);
        var holders = (await slots.HoldersAsync(account)).Where(id => !_polling.ContainsKey(id)).ToArray();
        Random.Shared.Shuffle(holders);
        foreach (var id in holders)
        {
            stoppingToken.ThrowIfCancellationRequested();
            if (!rateLimiter.TryAcquire())
            {
                return;
            }

            _polling[id] = true; // the poll removes it
            _ = PollAsync(account, id, notBefore, stoppingToken);
        }
    }

    /// <summary>Ends the slot of a job if it is final. Does not throw.</summary>
    private async Task PollAsync(string account, GenerationId id, DateTimeOffset notBefore, CancellationToken stoppingToken)
    {
        try
        {
            var result = await reader.RefreshAsync(id, Guid.NewGuid().ToString("N"), notBefore).WaitAsync(stoppingToken);
            if (result.Status is not (CacheStatus.Miss or CacheStatus.Stale))
            {
                rateLimiter.Return();
            }

            if (result.Entry is { } entry && new GenerationSnapshot(entry).IsTerminal)
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

    private static partial class Log
    {
        [LoggerMessage(4181, LogLevel.Error, "Polling a job that holds a slot of its account failed; it is polled again after Waiting:PollEvery.")]
        public static partial void PollFailed(ILogger logger, Exception exception);
    }
}
