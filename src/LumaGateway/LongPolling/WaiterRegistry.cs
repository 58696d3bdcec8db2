using System.Collections.Concurrent;
using LumaGateway.Access;
using LumaGateway.Polling;
using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>
/// Everybody who waits on this replica: bounded, woken by one timer for all of them, and sent away when the service stops. Thread-safe.
/// </summary>
internal sealed class WaiterRegistry(
    IOptions<WaitingOptions> options, IHostApplicationLifetime lifetime, WaitingMetrics metrics, TimeProvider clock, MonotonicClock steady) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    /// <summary>When a client that has its share may come again: nobody knows when one of its callers leaves.</summary>
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Waiter, bool> _present = new();
    private readonly SemaphoreSlim _occupied = new(0);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool IsClosing => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Null where the room is full. Throws <see cref="OverLimitException"/> where the client has its share of it already.</summary>
    /// <param name="client">Who waits.</param>
    /// <param name="kind">How it waits.</param>
    /// <param name="atMost">How long it waits; null for as long as it takes.</param>
    public Waiter? TryEnter(Client? client, WaiterKind kind, TimeSpan? atMost)
    {
        if (Interlocked.Increment(ref _count) > options.Value.Max)
        {
            Interlocked.Decrement(ref _count);
            metrics.TurnedAway();
            return null;
        }

        if (client?.ClientLimiter.TryEnterWaiting(options.Value.MaxOfClient) is false)
        {
            Interlocked.Decrement(ref _count);
            metrics.TurnedAway();
            throw new OverLimitException(RefusalReason.TooManyAtOnce, AgainAfter);
        }

        var now = steady.Now;
        var subscriber = new Waiter(client, kind, now, atMost is { } length ? now + length : TimeSpan.MaxValue);
        _present[subscriber] = true;
        try
        {
            metrics.Entered(kind);
            if (_occupied.CurrentCount == 0)
            {
                _occupied.Release(); // the timer only runs while somebody is here
            }

            if (IsClosing)
            {
                subscriber.Signal(WaiterSignals.Draining);
            }

            return subscriber;
        }
        catch
        {
            Leave(subscriber);
            throw;
        }
    }

    public void Leave(Waiter subscriber)
    {
        if (_present.TryRemove(subscriber, out _))
        {
            subscriber.Client?.ClientLimiter.LeaveWaiting();
            Interlocked.Decrement(ref _count); // before the metrics, which may throw
            metrics.Left(subscriber.Kind, (long)((steady.Now - subscriber.Since) / options.Value.PollEvery));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Before the server stops taking care of connections, not after.
        using var closing = lifetime.ApplicationStopping.UnsafeRegister(static room => ((WaiterRegistry)room!).SignalAll(WaiterSignals.Draining), this);
        try
        {
            while (true)
            {
                await _occupied.WaitAsync(stoppingToken);
                using var timer = new PeriodicTimer(Beat, clock);
                while (!_present.IsEmpty && await timer.WaitForNextTickAsync(stoppingToken))
                {
                    Look();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The service stops.
        }
    }

    private void Look()
    {
        var now = steady.Now;
        var quietUntil = now - options.Value.Heartbeat;
        foreach (var (subscriber, _) in _present)
        {
            if (now >= subscriber.EndsAt)
            {
                subscriber.Signal(WaiterSignals.TimeUp);
            }
            else if (subscriber.Kind is WaiterKind.Stream && subscriber.QuietSince <= quietUntil)
            {
                subscriber.Signal(WaiterSignals.Heartbeat);
            }
        }
    }

    private void SignalAll(WaiterSignals signals)
    {
        foreach (var (subscriber, _) in _present)
        {
            subscriber.Signal(signals);
        }
    }
}
