using System.Threading.RateLimiting;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Bounds the exchanges with the upstream that are under way, for the whole process. Who finds it full waits in a short queue, then is refused
/// with <see cref="UpstreamFault.Saturated"/>. Answers from the cache never come here. Thread-safe.
/// </summary>
internal sealed class UpstreamConcurrencyLimiter(IOptions<UpstreamLimitsOptions> options, IOptions<LumaOptions> luma, TimeProvider clock) : IDisposable
{
    // Well within a try's time-out: a wait of our own must not look as if the upstream were slow.
    private readonly TimeSpan _patience = TimeSpan.FromTicks(Math.Min(options.Value.QueueTimeout.Ticks, luma.Value.AttemptTimeout.Ticks / 2));
    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = options.Value.Concurrency,
        QueueLimit = options.Value.Queue,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    public int Limit { get; } = options.Value.Concurrency;

    public long UnderWay => Limit - (_limiter.GetStatistics()?.CurrentAvailablePermits ?? Limit);

    public long Queued => _limiter.GetStatistics()?.CurrentQueuedCount ?? 0;

    /// <summary>A place, to be disposed of when the exchange is over.</summary>
    public ValueTask<RateLimitLease> EnterAsync(CancellationToken token)
    {
        var lease = _limiter.AttemptAcquire();
        return lease.IsAcquired ? ValueTask.FromResult(lease) : QueueAsync(token);
    }

    public void Dispose() => _limiter.Dispose();

    private async ValueTask<RateLimitLease> QueueAsync(CancellationToken token)
    {
        using var patience = new CancellationTokenSource(_patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, patience.Token);
        try
        {
            var lease = await _limiter.AcquireAsync(cancellationToken: either.Token);
            return lease.IsAcquired ? lease : throw Full();
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !token.IsCancellationRequested)
        {
            throw Full();
        }
    }

    private static UpstreamException Full() =>
        new(UpstreamFault.Saturated, "Limits:Upstream are reached.") { RetryAfter = TimeSpan.FromSeconds(1) };
}
