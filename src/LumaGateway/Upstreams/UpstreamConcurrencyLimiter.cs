using System.Threading.RateLimiting;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Limits the concurrent requests of this process to one account. A further request waits in a bounded queue, then fails with
/// <see cref="UpstreamFault.Saturated"/>. Thread-safe.
/// </summary>
internal sealed class UpstreamConcurrencyLimiter(IOptions<UpstreamLimitsOptions> options, IOptions<LumaOptions> luma, TimeProvider clock) : IDisposable
{
    // At most half of an attempt's timeout: otherwise the circuit breaker would count the wait in the queue as a slow upstream.
    private readonly TimeSpan _queueTimeout = TimeSpan.FromTicks(Math.Min(options.Value.QueueTimeout.Ticks, luma.Value.AttemptTimeout.Ticks / 2));
    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = options.Value.Concurrency,
        QueueLimit = options.Value.Queue,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    public int Limit { get; } = options.Value.Concurrency;

    public long Active => Limit - (_limiter.GetStatistics()?.CurrentAvailablePermits ?? Limit);

    public long Queued => _limiter.GetStatistics()?.CurrentQueuedCount ?? 0;

    /// <returns>A lease to dispose when the request has ended.</returns>
    public ValueTask<RateLimitLease> AcquireAsync(CancellationToken token)
    {
        var lease = _limiter.AttemptAcquire();
        return lease.IsAcquired ? ValueTask.FromResult(lease) : QueueAsync(token);
    }

    public void Dispose() => _limiter.Dispose();

    private async ValueTask<RateLimitLease> QueueAsync(CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(_queueTimeout, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(token, timeout.Token);
        try
        {
            var lease = await _limiter.AcquireAsync(cancellationToken: linked.Token);
            return lease.IsAcquired ? lease : throw QueueFull();
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !token.IsCancellationRequested)
        {
            throw QueueFull();
        }
    }

    private static UpstreamException QueueFull() =>
        new(UpstreamFault.Saturated, "The limits of Limits:Upstream are reached.") { RetryAfter = TimeSpan.FromSeconds(1) };
}
