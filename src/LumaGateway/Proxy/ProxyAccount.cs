using LumaGateway.Upstreams;

namespace LumaGateway.Proxy;

/// <summary>Request feature: the account that the request is sent to. A create without a given account has candidates, and may move from one to the next.</summary>
internal sealed class ProxyAccount
{
    private readonly List<UpstreamAccount> _refused = [];

    /// <summary>The account; null before <see cref="CreateDistributionMiddleware"/> has chosen one.</summary>
    public UpstreamAccount? Account { get; private set; }

    /// <summary>The accounts that one is chosen from; empty if the account is given.</summary>
    public IReadOnlyList<UpstreamAccount> Candidates { get; private init; } = [];

    /// <summary>True after a refusal, until the create is sent to the next account.</summary>
    public bool HasMoved { get; private set; }

    public static ProxyAccount Given(UpstreamAccount account) => new() { Account = account };

    public static ProxyAccount OneOf(IReadOnlyList<UpstreamAccount> candidates) => new() { Candidates = candidates };

    /// <summary>Returns the account of a request; null while none is chosen.</summary>
    public static UpstreamAccount? Of(HttpContext context) => context.Features.Get<ProxyAccount>()?.Account;

    /// <summary>Chooses the first account. Returns false if all candidates are draining.</summary>
    public bool TryChoose(AccountChooser chooser) => (Account = chooser.Choose(Candidates, _refused)) is not null;

    /// <summary>Moves to the next account after the current one has refused the create or was not reached. Returns false if there is none; the account stays then.</summary>
    public bool TryMove(AccountChooser chooser)
    {
        if (Candidates.Count == 0)
        {
            return false;
        }

        _refused.Add(Account!);
        if (chooser.Choose(Candidates, _refused) is not { } next)
        {
            return false;
        }

        (Account, HasMoved) = (next, true);
        return true;
    }

    /// <summary>To be called before each attempt.</summary>
    public void Start() => HasMoved = false;
}
