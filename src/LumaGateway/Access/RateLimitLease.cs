using LumaGateway.Problems;

namespace LumaGateway.Access;

/// <summary>Counts one admitted request as active against its client's concurrency limit, until <see cref="Dispose"/>. Thread-safe.</summary>
internal sealed class RateLimitLease(Client client) : IDisposable
{
    private int _isCounted = 1;

    public Client Client => client;

    /// <summary>Returns the lease of a request; null if its endpoint is public.</summary>
    public static RateLimitLease? Of(HttpContext context) => context.Features.Get<RateLimitLease>();

    /// <summary>
    /// Ends the count before the request ends, for a request that becomes a waiter. Repeated calls have no effect.
    /// </summary>
    public void ReleaseConcurrency()
    {
        if (Interlocked.Exchange(ref _isCounted, 0) == 1)
        {
            client.ClientLimiter.Release();
        }
    }

    public void Dispose() => ReleaseConcurrency();

    /// <summary>Charges a batch of generations. Throws <see cref="OverLimitException"/> if the client has too few tokens.</summary>
    public void ChargeBatch(int generations)
    {
        if (!client.ClientLimiter.TryChargeBatch(generations, out var wait))
        {
            throw new OverLimitException(RefusalReason.RateLimit, wait);
        }
    }

    /// <inheritdoc cref="ClientLimiter.ChargeFetch"/>
    public void ChargeFetch() => client.ClientLimiter.ChargeFetch();
}
