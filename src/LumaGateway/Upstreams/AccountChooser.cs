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
    /// Chooses the account that a create is sent to; null if none is left. Draining accounts are never chosen. If no candidate accepts creates now, the first attempt goes to one
    /// of them nevertheless, and the upstream decides.
    /// </summary>
    /// <param name="candidates">The accounts that can run the create.</param>
    /// <param name="refused">The accounts that have refused this create.</param>
    public AccountChoice? Choose(IReadOnlyList<UpstreamAccount> candidates, IReadOnlyCollection<UpstreamAccount> refused)
    {
        var open = candidates.Where(account => !account.Options.Draining && !refused.Contains(account)).ToList();
        var accepting = open.Where(static account => account.AcceptsCreates).ToList();
        return accepting.Count > 0 ? Next(accepting) : refused.Count == 0 && open.Count > 0 ? Next(open) : null;
    }

    /// <summary>Removes a choice for which no create was sent, so that it does not count for the shares.</summary>
    public void Return(AccountChoice choice) => Charge(choice, -1);

    /// <summary>Counts a choice again that <see cref="Return"/> removed.</summary>
    public void Retake(AccountChoice choice) => Charge(choice, 1);

    private AccountChoice Next(List<UpstreamAccount> accounts)
    {
        lock (_lock)
        {
            var choice = new AccountChoice(accounts.MaxBy(account => _credits.GetValueOrDefault(account) + account.Options.Weight)!, accounts);
            Charge(choice, 1);
            return choice;
        }
    }

    /// <summary>Adds its weight to each candidate, and subtracts the sum of the weights from the chosen one. The order of several charges makes no difference.</summary>
    private void Charge(AccountChoice choice, int sign)
    {
        lock (_lock)
        {
            foreach (var account in choice.Among)
            {
                _credits[account] = _credits.GetValueOrDefault(account) + (sign * account.Options.Weight);
            }

            _credits[choice.Account] -= sign * choice.Among.Sum(static account => account.Options.Weight);
        }
    }
}

/// <summary>The account of a create.</summary>
/// <param name="Account">The account.</param>
/// <param name="Among">The accounts that it was chosen from.</param>
internal sealed record AccountChoice(UpstreamAccount Account, IReadOnlyList<UpstreamAccount> Among);
