namespace LumaGateway.Upstreams;

/// <summary>
/// Chooses the account of a create by weight, among the accounts that accept creates now. Smooth weighted round robin, as in nginx: the shares are exact, and an account's creates
/// do not come in a row. Each replica counts for itself. Thread-safe.
/// </summary>
internal sealed class AccountChooser
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UpstreamAccount, int> _credits = [];

    /// <summary>
    /// Returns the account that a create is sent to; null if none is left. Draining accounts are never chosen. If no candidate accepts creates now, the first attempt goes to one
    /// of them nevertheless, and the upstream decides.
    /// </summary>
    /// <param name="candidates">The accounts that can run the create.</param>
    /// <param name="refused">The accounts that have refused this create.</param>
    public UpstreamAccount? Choose(IReadOnlyList<UpstreamAccount> candidates, IReadOnlyCollection<UpstreamAccount> refused)
    {
        var open = candidates.Where(account => !account.Options.Draining && !refused.Contains(account)).ToList();
        var accepting = open.Where(static account => account.AcceptsCreates).ToList();
        return accepting.Count > 0 ? Next(accepting) : refused.Count == 0 && open.Count > 0 ? Next(open) : null;
    }

    private UpstreamAccount Next(List<UpstreamAccount> accounts)
    {
        if (accounts.Count == 1)
        {
            return accounts[0];
        }

        lock (_lock)
        {
            foreach (var account in accounts)
            {
                _credits[account] = _credits.GetValueOrDefault(account) + account.Options.Weight;
            }

            var next = accounts.MaxBy(account => _credits[account])!;
            _credits[next] -= accounts.Sum(static account => account.Options.Weight);
            return next;
        }
    }
}
