using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Access;

/// <summary>
/// The rate and concurrency limit of one client in this replica. A request takes one token when it starts. Further costs are charged even if the bucket is
/// empty, and delay the client's next requests: a fetch that other clients share is never refused. Thread-safe; does not allocate.
/// </summary>
internal sealed class ClientLimiter(TimeProvider clock, ClientLimits limits)
{
    /// <summary>The Retry-After over the concurrency limit. It is a guess: the end of the other requests is not known.</summary>
    private static readonly TimeSpan ConcurrencyRetryAfter = TimeSpan.FromSeconds(1);

    private readonly TokenBucket _bucket = new(clock);
    private volatile ClientLimits _limits = limits;
    private int _activeRequests;
    private int _waiters;

    /// <summary>Active requests of the client, without waiters.</summary>
    public int ActiveRequests => Volatile.Read(ref _activeRequests);

    /// <summary>Whether the client has no active request and no waiter, and its bucket is full. Then the limiter can be removed: a new one is the same.</summary>
    public bool IsIdle => ActiveRequests == 0 && Volatile.Read(ref _waiters) == 0 && _bucket.IsFull;

    /// <summary>Changes the limits for the next requests. The bucket keeps its tokens.</summary>
    public void Update(ClientLimits limits)
    {
        _bucket.ChangeRate(_limits.RequestsPerSecond, limits.RequestsPerSecond);
        _limits = limits;
    }

    /// <summary>Starts one request, which must end with <see cref="Release"/>. Returns the limit that refuses it, and when to retry; null if it is admitted.</summary>
    public RefusalReason? TryAcquire(out TimeSpan wait)
    {
        var limits = _limits;
        var isAdmitted = false;
        try
        {
            if (Interlocked.Increment(ref _activeRequests) > limits.Concurrency && limits.Concurrency > 0)
            {
                wait = ConcurrencyRetryAfter;
                return RefusalReason.ConcurrencyLimit;
            }

            wait = TimeSpan.Zero;
            isAdmitted = limits.RequestsPerSecond == 0 || _bucket.TryTake(limits.RequestsPerSecond, limits.Burst, out wait);
            return isAdmitted ? null : RefusalReason.RateLimit;
        }
        finally
        {
            if (!isAdmitted)
            {
                Release();
            }
        }
    }

    /// <summary>Sets the headers that tell the client its rate. Without a limit there are none.</summary>
    public void SetHeaders(HttpResponse response)
    {
        var limits = _limits;
        limits.Headers?.Set(response.Headers, _bucket.Available(limits.RequestsPerSecond, limits.Burst));
    }

    public void Release() => Interlocked.Decrement(ref _activeRequests);

    /// <summary>Adds a waiter, which must end with <see cref="RemoveWaiter"/>. Returns false if the client has <paramref name="max"/> waiters.</summary>
    public bool TryAddWaiter(int max)
    {
        if (Interlocked.Increment(ref _waiters) <= max)
        {
            return true;
        }

        RemoveWaiter();
        return false;
    }

    public void RemoveWaiter() => Interlocked.Decrement(ref _waiters);

    /// <summary>
    /// Takes the tokens of a batch: all, or none. One was taken when the request started. Tokens beyond the burst are charged without a check, because the bucket
    /// never contains more than the burst.
    /// </summary>
    /// <param name="generations">The number of generations in the batch.</param>
    /// <param name="wait">If it returns false: how long until the bucket has enough tokens.</param>
    public bool TryChargeBatch(int generations, out TimeSpan wait)
    {
        var limits = _limits;
        wait = TimeSpan.Zero;
        if (generations <= 1 || limits.RequestsPerSecond == 0)
        {
            return true;
        }

        var checkedTokens = Math.Min(generations - 1, limits.Burst - 1);
        if (checkedTokens > 0 && !_bucket.TryTake(checkedTokens, limits.RequestsPerSecond, limits.Burst, out wait))
        {
            _bucket.Charge(-1, limits.RequestsPerSecond); // returns the token of the refused request: the batch is charged as a whole
            return false;
        }

        Charge(generations - 1 - checkedTokens, limits);
        return true;
    }

    /// <summary>
    /// Charges one upstream request; one token was taken when the caller's request started. Call it when the upstream request starts, because it is sent even if the
    /// caller disconnects.
    /// </summary>
    public void ChargeFetch()
    {
        var limits = _limits;
        Charge(limits.UpstreamCost - 1, limits);
    }

    private void Charge(int tokens, ClientLimits limits)
    {
        if (tokens > 0 && limits.RequestsPerSecond > 0)
        {
            _bucket.Charge(tokens, limits.RequestsPerSecond);
        }
    }
}
