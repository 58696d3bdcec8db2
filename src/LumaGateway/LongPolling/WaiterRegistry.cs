using System.Collections.Concurrent;
using LumaGateway.Access;
using LumaGateway.Polling;
using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>
/// All waiters of this replica, up to <c>Waiting:Max</c>. One timer signals their timeouts and heartbeats; a stop of the service signals all.
/// Thread-safe.
/// </summary>
internal sealed class WaiterRegistry(
    IOptions<WaitingOptions> options, IHostApplicationLifetime lifetime, WaitingMetrics metrics, TimeProvider clock, MonotonicClock monotonic) : BackgroundService
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>The <c>Retry-After</c> of a client that has reached its share. The time at which one of its waits ends is not known.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Waiter, bool> _waiters = new();
    private readonly SemaphoreSlim _hasWaiters = new(0);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool IsStopping => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Null if <c>Waiting:Max</c> is reached. Throws <see cref="OverLimitException"/> if the client has reached its share.</summary>
    /// <param name="client">The client that waits.</param>
    /// <param name="kind">How it waits.</param>
    /// <param name="timeout">How long it waits; null for no limit.</param>
    public Waiter? TryAdd(Client? client, WaiterKind kind, TimeSpan? timeout)
    {
        if (Interlocked.Increment(ref _count) > options.Value.Max)
        {
            Interlocked.Decrement(ref _count);
            metrics.WaiterRejected();
            return null;
        }

        if (client?.ClientLimiter.TryAddWaiter(options.Value.MaxPerClient) is false)
        {
            Interlocked.Decrement(ref _count);
            metrics.WaiterRejected();
            throw new OverLimitException(RefusalReason.ConcurrencyLimit, RetryAfter);
        }

        var now = monotonic.Now;
        var waiter = new Waiter(client, kind, now, timeout is { } length ? now + length : TimeSpan.MaxValue);
        _waiters[waiter] = true;
        try
        {
            metrics.WaiterAdded(kind);
            if (_hasWaiters.CurrentCount == 0)
            {
                _hasWaiters.Release(); // the timer runs only while there are waiters
            }

            if (IsStopping)
            {
                waiter.Signal(WaiterSignals.Stopping);
            }

            return waiter;
        }
        catch
        {
            Remove(waiter);
            throw;
        }
    }

    public void Remove(Waiter waiter)
    {
        if (_waiters.TryRemove(waiter, out _))
        {
            waiter.Client?.ClientLimiter.RemoveWaiter();
            Interlocked.Decrement(ref _count); // before the metrics: a metric listener may throw
            metrics.WaiterRemoved(waiter.Kind, (long)((monotonic.Now - waiter.Since) / options.Value.PollEvery));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // ApplicationStopping fires before the server closes connections, stoppingToken after it.
        using var stopping = lifetime.ApplicationStopping.UnsafeRegister(static registry => ((WaiterRegistry)registry!).SignalAll(WaiterSignals.Stopping), this);
        try
        {
            while (true)
            {
                await _hasWaiters.WaitAsync(stoppingToken);
                using var timer = new PeriodicTimer(TickInterval, clock);
                while (!_waiters.IsEmpty && await timer.WaitForNextTickAsync(stoppingToken))
                {
                    SignalDue();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private void SignalDue()
    {
        var now = monotonic.Now;
        var heartbeatBefore = now - options.Value.Heartbeat;
        foreach (var (waiter, _) in _waiters)
        {
            if (now >= waiter.EndsAt)
            {
                waiter.Signal(WaiterSignals.TimedOut);
            }
            else if (waiter.Kind is WaiterKind.Stream && waiter.LastSentAt <= heartbeatBefore)
            {
                waiter.Signal(WaiterSignals.Heartbeat);
            }
        }
    }

    private void SignalAll(WaiterSignals signals)
    {
        foreach (var (waiter, _) in _waiters)
        {
            waiter.Signal(signals);
        }
    }
}
