using LumaGateway.Problems;
namespace LumaGateway.Access;

/// <summary>One request that was let in: whose it is, and its place among those that its client has under way, which it gives back when it is disposed of.</summary>
internal sealed class RateLimitLease(Client client) : IDisposable
{
    private int _holdsPlace = 1;

    public Client Client => client;

    /// <summary>The visit of this request; null on routes that ask for no right.</summary>
    public static RateLimitLease? Of(HttpContext context) => context.Features.Get<RateLimitLease>();

    /// <summary>
    /// Gives the place back before the request ends: from then on it counts as a waiter, which costs its client none. May be called
    /// more than once.
    /// </summary>
    public void HandBackPlace()
    {
        if (Interlocked.Exchange(ref _holdsPlace, 0) == 1)
        {
            client.ClientLimiter.Leave();
        }
    }

    public void Dispose() => HandBackPlace();

    /// <summary>Admits a request for several answers as a whole. Throws <see cref="OverLimitException"/> where the client has too few tokens.</summary>
    public void Admit(int answers)
    {
        if (!client.ClientLimiter.TryAdmit(answers, out var wait))
        {
            throw new OverLimitException(RefusalReason.TooManyASecond, wait);
        }
    }

    /// <inheritdoc cref="ClientLimiter.ChargeFetch"/>
    public void ChargeFetch() => client.ClientLimiter.ChargeFetch();
}
