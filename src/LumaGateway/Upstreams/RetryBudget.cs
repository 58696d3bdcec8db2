namespace LumaGateway.Upstreams;

/// <summary>
/// Limits retries to a tenth of the reads, because retries increase the load during an outage. At most ten retries can be saved up. Thread-safe. Finagle
/// and gRPC (gRFC A6) throttle retries in the same way.
/// </summary>
internal sealed class RetryBudget
{
    private const int RetryCost = 10;
    private const int MaxBalance = 10 * RetryCost;

    private int _balance = MaxBalance;

    public void AddRead() => Add(1);

    /// <summary>Takes one retry from the budget; false if none is left.</summary>
    public bool TryTakeRetry() => Add(-RetryCost);

    private bool Add(int amount)
    {
        while (true)
        {
            var before = Volatile.Read(ref _balance);
            if (before + amount < 0)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _balance, Math.Min(MaxBalance, before + amount), before) == before)
            {
                return true;
            }
        }
    }
}
