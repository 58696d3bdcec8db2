using LumaGateway.Caching;
using LumaGateway.Generations;
using LumaGateway.Problems;

namespace LumaGateway.Polling;

/// <summary>Polls one generation: takes a recent entry of any replica, else reads from the upstream.</summary>
internal sealed partial class SinglePoll(
    GenerationReader reader, PollTargets targets, PollSchedule schedule, PollRateLimiter rateLimiter, WaitingMetrics metrics, ILogger<SinglePoll> logger)
{
    /// <summary>Updates the target, and sets when it is due again. Does not throw.</summary>
    /// <param name="target">The target; the caller has set <see cref="PollTarget.IsPolling"/> and acquired a token of the rate limiter.</param>
    public async Task RunAsync(PollTarget target)
    {
        try
        {
            var result = await reader.RefreshAsync(target.Key, Guid.NewGuid().ToString("N"), schedule.NotBefore(target));
            var isFetched = result.Status is CacheStatus.Miss or CacheStatus.Stale;
            if (!isFetched)
            {
                rateLimiter.Return();
            }

            metrics.Polled(isFetched ? PollKind.Single : PollKind.Cached);
            (target.PollingPeriod!.ConsecutiveFaults, target.PollingPeriod.FailedAt) = (0, default);
            targets.Update(result.Entry!);
        }
        catch (UpstreamException)
        {
            // UpstreamClient counts and logs the fault. A waiter gets it only if it still holds at the end of the wait.
            metrics.Polled(PollKind.Single);
            targets.RecordFault(target);
        }
#pragma warning disable CA1031 // waiters depend on the next poll, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            targets.RecordFault(target);
            Log.PollFailed(logger, exception);
        }
        finally
        {
            target.IsPolling = false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4162, LogLevel.Error, "A poll failed; it is repeated, at the latest after Waiting:PollSlowest.")]
        public static partial void PollFailed(ILogger logger, Exception exception);
    }
}
