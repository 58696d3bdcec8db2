namespace LumaGateway.Upstreams;

/// <summary>
/// Keeps retries from multiplying an outage: every call earns a tenth of a retry, up to ten saved. Thread-safe.
/// The idea and the ratio are those of Finagle's and gRPC's retry throttling (gRFC A6).
/// </summary>
internal sealed class RetryBudget
{
    private const int Retry = 10;
    private const int Most = 10 * Retry;

    private int _savings = Most;

    public void Earn() => Add(1);

    /// <summary>Takes one retry, or says that there is none left.</summary>
    public bool TrySpend() => Add(-Retry);

    private bool Add(int amount)
    {
        while (true)
        {
            var before = Volatile.Read(ref _savings);
            if (before + amount < 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _savings, Math.Min(Most, before + amount), before) == before)
            {
                return true;
            }
        }
    }
}
