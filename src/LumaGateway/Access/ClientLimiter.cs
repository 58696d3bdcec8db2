using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Access;

/// <summary>
/// What one client may still ask of this replica. Every request takes one token to come in; what it costs beyond that is owed, and paid by the
/// client's next requests: so no fetch that others have joined is ever refused half-way. Thread-safe; allocates nothing.
/// </summary>
internal sealed class ClientLimiter(TimeProvider clock, ClientLimits limits)
{
    /// <summary>When to try again where too many are under way: nobody knows when one of them ends.</summary>
    private static readonly TimeSpan WhenCrowded = TimeSpan.FromSeconds(1);

    private readonly TokenBucket _bucket = new(clock);
    private volatile ClientLimits _limits = limits;
    private int _present;
    private int _waiting;

    /// <summary>Requests of the client that are under way, waiters not counted.</summary>
    public int Present => Volatile.Read(ref _present);

    /// <summary>Whether forgetting it would give its client nothing.</summary>
    public bool IsIdle => Present == 0 && Volatile.Read(ref _waiting) == 0 && _bucket.IsFull;

    /// <summary>New settings count from the next request on; what is owed stays owed.</summary>
    public void Become(ClientLimits limits) => _limits = limits;

    /// <summary>Lets one request in, to be followed by one <see cref="Leave"/>; or says why not, and when to come back.</summary>
    public RefusalReason? TryEnter(out TimeSpan wait)
    {
        var limits = _limits;
        var isIn = false;
        try
        {
            if (Interlocked.Increment(ref _present) > limits.Concurrency && limits.Concurrency > 0)
            {
                wait = WhenCrowded;
                return RefusalReason.TooManyAtOnce;
            }

            wait = TimeSpan.Zero;
            isIn = limits.RequestsPerSecond == 0 || _bucket.TryTake(limits.RequestsPerSecond, limits.Burst, out wait);
            return isIn ? null : RefusalReason.TooManyASecond;
        }
        finally
        {
            if (!isIn)
            {
                Leave();
            }
        }
    }

    public void Leave() => Interlocked.Decrement(ref _present);

    /// <summary>Takes one of so many waiting places, to be followed by one <see cref="LeaveWaiting"/>; false where the client has them all.</summary>
    public bool TryEnterWaiting(int most)
    {
        if (Interlocked.Increment(ref _waiting) <= most)
        {
            return true;
        }

        LeaveWaiting();
        return false;
    }

    public void LeaveWaiting() => Interlocked.Decrement(ref _waiting);

    /// <summary>
    /// Takes the tokens of several answers in one request, of which one was paid when it came in: all of them, or none and says how long to wait.
    /// What exceeds the burst is owed, since a client never has more at once.
    /// </summary>
    /// <param name="answers">How many.</param>
    /// <param name="wait">When there are enough.</param>
    public bool TryAdmit(int answers, out TimeSpan wait)
    {
        var limits = _limits;
        wait = TimeSpan.Zero;
        if (answers <= 1 || limits.RequestsPerSecond == 0)
        {
            return true;
        }

        var atOnce = Math.Min(answers - 1, limits.Burst - 1);
        if (atOnce > 0 && !_bucket.TryTake(atOnce, limits.RequestsPerSecond, limits.Burst, out wait))
        {
            _bucket.Owe(-1, limits.RequestsPerSecond); // a refusal costs nothing: the wait holds for the whole request
            return false;
        }

        Owe(answers - 1 - atOnce, limits);
        return true;
    }

    /// <summary>
    /// Charges one exchange with the upstream, of which one token was paid as for a cached answer. To be called when the exchange begins: a caller that
    /// hangs up has caused it all the same.
    /// </summary>
    public void ChargeFetch()
    {
        var limits = _limits;
        Owe(limits.UpstreamCost - 1, limits);
    }

    private void Owe(int tokens, ClientLimits limits)
    {
        if (tokens > 0 && limits.RequestsPerSecond > 0)
        {
            _bucket.Owe(tokens, limits.RequestsPerSecond);
        }
    }
}
