using LumaGateway.Telemetry;
using LumaGateway.Upstreams;

namespace LumaGateway.Proxy;

/// <summary>Request feature: the account that the request is sent to. A create without a given account has candidates, and may move from one to the next.</summary>
internal sealed class ProxyAccount : IRequestAccount
{
    private readonly List<UpstreamAccount> _refused = [];
    private readonly List<AccountChoice> _skipped = [];
    private IReadOnlyList<UpstreamAccount> _candidates;
    private AccountChoice? _choice;
    private bool _isSent;

    private ProxyAccount(UpstreamAccount account, IReadOnlyList<UpstreamAccount> candidates) => (Account, _candidates) = (account, candidates);

    /// <summary>The account. It changes if a create moves.</summary>
    public UpstreamAccount Account { get; private set; }

    public string AccountName => Account.Name;

    /// <summary>Whether the account was chosen by weight.</summary>
    public bool IsChosen => _candidates.Count > 0;

    /// <summary>The accounts that the request may be sent to.</summary>
    public IReadOnlyList<UpstreamAccount> Candidates => IsChosen ? _candidates : [Account];

    /// <summary>Whether a refused create may have another account to move to.</summary>
    public bool HasAlternatives => _candidates.Count > 1;

    /// <summary>The account that has refused the create, until the create is sent to the next one; otherwise null.</summary>
    public UpstreamAccount? MovedFrom { get; private set; }

    public static ProxyAccount Given(UpstreamAccount account) => new(account, []);

    /// <summary>Chooses by weight. If all candidates are draining, the first one is given: <see cref="DrainingCheck"/> refuses the create.</summary>
    public static ProxyAccount Choose(AccountChooser chooser, IReadOnlyList<UpstreamAccount> candidates) =>
        chooser.Choose(candidates, []) is { } choice ? new ProxyAccount(choice.Account, candidates) { _choice = choice } : Given(candidates[0]);

    /// <summary>Returns the account of a request; null if the request is not under <c>/luma</c>.</summary>
    public static UpstreamAccount? Of(HttpContext context) => context.Features.Get<ProxyAccount>()?.Account;

    /// <summary>
    /// Leaves out the candidates that cannot run the create, and chooses among the others. The choice of an account that is left out is returned, so its share by weight stays. Returns false if all others are draining. To be
    /// called before the first attempt, with a condition that holds for a candidate.
    /// </summary>
    public bool TryLimitTo(Func<UpstreamAccount, bool> canRun, AccountChooser chooser)
    {
        if (Candidates.All(canRun))
        {
            return true;
        }

        _candidates = [.. _candidates.Where(canRun)];
        chooser.Return(_choice!);
        _choice = chooser.Choose(_candidates, []);
        Account = _choice?.Account ?? Account;
        return _choice is not null;
    }

    /// <summary>To be called before each attempt.</summary>
    public void Start()
    {
        MovedFrom = null;
        _skipped.Clear();
    }

    /// <summary>The request is sent now.</summary>
    public void MarkSent() => _isSent = true;

    /// <summary>Moves to the next account after the current one has refused the create or was not reached. Returns false if there is none; the account stays then.</summary>
    public bool TryMove(AccountChooser chooser)
    {
        if (!IsChosen)
        {
            return false;
        }

        _refused.Add(Account);
        if (chooser.Choose(_candidates, _refused) is not { } next)
        {
            return false;
        }

        (MovedFrom, _choice, Account) = (Account, next, next.Account);
        return true;
    }

    /// <summary>
    /// Skips the current account, which has no free slot. Returns false if no account has one; the account is then the one that
    /// was chosen first. A skipped account keeps its turn.
    /// </summary>
    public bool TrySkip(AccountChooser chooser)
    {
        _skipped.Add(_choice!);
        chooser.Return(_choice!);
        var next = chooser.Choose(_candidates, [.. _refused, .. _skipped.Select(static choice => choice.Account)]);
        if (next is null)
        {
            chooser.Retake(_skipped[0]);
        }

        _choice = next ?? _skipped[0];
        Account = _choice.Account;
        return next is not null;
    }

    /// <summary>The accounts that the create waits for: all skipped ones, the first chosen first; without any, its account.</summary>
    public IReadOnlyList<string> AccountsWithoutSlot => _skipped.Count > 0 ? [.. _skipped.Select(static choice => choice.Account.Name)] : [AccountName];

    /// <summary>One of <see cref="AccountsWithoutSlot"/> has a slot now: the create goes there.</summary>
    public void MoveToSlot(string account, AccountChooser chooser)
    {
        if (account == AccountName)
        {
            return;
        }

        chooser.Return(_choice!);
        _choice = _skipped.Single(choice => choice.Account.Name == account);
        chooser.Retake(_choice);
        Account = _choice.Account;
    }

    /// <summary>Gives back the choice if nothing was sent, as for a repeated create whose response is recorded.</summary>
    public void ReturnUnused(AccountChooser chooser)
    {
        if (_choice is { } unused && !_isSent)
        {
            chooser.Return(unused);
        }
    }
}
