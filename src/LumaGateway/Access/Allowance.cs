namespace LumaGateway.Access;

/// <summary>
/// What one client may still ask of this replica. Every request takes one token to come in; what it costs beyond that is owed, and paid by the
/// client's next requests: so no fetch that others have joined is ever refused half-way. Thread-safe; allocates nothing.
/// </summary>
internal sealed class Allowance(TimeProvider clock, ClientLimits limits)
{
    /// <summary>When to try again where too many are under way: nobody knows when one of them ends.</summary>
    private static readonly TimeSpan WhenCrowded = TimeSpan.FromSeconds(1);

    private readonly TokenBucket _bucket = new(clock);
    private volatile ClientLimits _limits = limits;
    private int _present;

    /// <summary>Requests of the client that are under way, waiters not counted.</summary>
    public int Present => Volatile.Read(ref _present);

    /// <summary>Whether forgetting it would give its client nothing.</summary>
    public bool IsIdle => Present == 0 && _bucket.IsFull;

    /// <summary>New settings count from the next request on; what is owed stays owed.</summary>
    public void Become(ClientLimits limits) => _limits = limits;

    /// <summary>Lets one request in, to be followed by one <see cref="Leave"/>; or says why not, and when to come back.</summary>
    public Refusal? TryEnter(out TimeSpan wait)
    {
        var limits = _limits;
        var isIn = false;
        try
        {
            if (Interlocked.Increment(ref _present) > limits.Concurrency && limits.Concurrency > 0)
            {
                wait = WhenCrowded;
                return Refusal.TooManyAtOnce;
            }

            wait = TimeSpan.Zero;
            isIn = limits.RequestsPerSecond == 0 || _bucket.TryTake(limits.RequestsPerSecond, limits.Burst, out wait);
            return isIn ? null : Refusal.TooManyASecond;
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

    /// <summary>Settles what a request cost, of which one token was paid when it came in.</summary>
    /// <param name="cached">Answers that cost the upstream nothing.</param>
    /// <param name="upstream">Exchanges with the upstream.</param>
    public void Charge(int cached, int upstream)
    {
        var limits = _limits;
        var owed = cached + (upstream * limits.UpstreamCost) - 1;
        if (owed > 0 && limits.RequestsPerSecond > 0)
        {
            _bucket.Owe(owed, limits.RequestsPerSecond);
        }
    }
}
