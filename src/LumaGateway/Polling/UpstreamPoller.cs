using LumaGateway.Time;
using LumaGateway.Upstreams;

namespace LumaGateway.Polling;

/// <summary>
/// Polls all generations with waiters on this replica, in one loop. An entry that any replica requested within the poll interval replaces a poll, so the
/// upstream gets one request for all replicas. The loop sleeps while there are no targets.
/// </summary>
internal sealed partial class UpstreamPoller(
    PollTargets targets, SinglePoll poll, ListSweeps lists, PollRateLimiter rateLimiter, AccountDirectory accounts, MonotonicClock clock, ILogger<UpstreamPoller> logger) : BackgroundService
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);

    private volatile TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        targets.Added += () => _woken.TrySetResult();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await WaitForTickAsync(stoppingToken);
                RunTick();
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private async Task WaitForTickAsync(CancellationToken stoppingToken)
    {
        var woken = _woken.Task;
        if (targets.IsEmpty)
        {
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

    private void RunTick()
    {
        try
        {
            StartDuePolls();
        }
#pragma warning disable CA1031 // waiters depend on the next tick, whatever exception ends this one
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.TickFailed(logger, exception);
        }
    }

    /// <summary>Starts the polls that are due, the longest overdue first, as far as the rate limit allows.</summary>
    private void StartDuePolls()
    {
        var now = clock.Now;
        var polled = targets.All.Where(target => target is { IsTerminal: false, PollingPeriod: not null } && !IsHeld(target)).ToList();
        var due = lists.Start(polled).Where(target => !target.IsPolling && target.DueAt <= now);
        foreach (var target in due.OrderBy(target => target.DueAt))
        {
            if (!rateLimiter.TryAcquire())
            {
                return;
            }

            target.IsPolling = true; // the poll resets it
            _ = poll.RunAsync(target);
        }
    }

    /// <summary>Whether the <c>Retry-After</c> of the target's account has not passed. The account of a target may not be known before its first poll.</summary>
    private bool IsHeld(PollTarget target) => accounts.FindInMemory(target.Key) is { } account && account.Hold.Remaining > TimeSpan.Zero;

    private static partial class Log
    {
        [LoggerMessage(4161, LogLevel.Error, "Polling loop failed; it continues with the next tick.")]
        public static partial void TickFailed(ILogger logger, Exception exception);
    }
}
