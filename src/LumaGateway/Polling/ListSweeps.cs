using LumaGateway.Upstreams;

namespace LumaGateway.Polling;

/// <summary>The list sweeps of all accounts whose upstream has a list. Only one thread may call <see cref="Start"/> at a time.</summary>
internal sealed class ListSweeps
{
    private const string LockName = "sweep";

    private readonly UpstreamAccounts _accounts;
    private readonly AccountDirectory _directory;
    private readonly TimeProvider _clock;
    private readonly Dictionary<UpstreamAccount, ListSweep> _sweeps;

    public ListSweeps(UpstreamAccounts accounts, AccountDirectory directory, TimeProvider clock, IServiceProvider services)
    {
        (_accounts, _directory, _clock) = (accounts, directory, clock);
        _sweeps = accounts.All.Where(static account => account.Client.SupportsList).ToDictionary(
            static account => account, account => ActivatorUtilities.CreateInstance<ListSweep>(services, new SweptList(account, account == accounts.First ? LockName : $"{LockName}:{account.Name}")));
    }

    /// <summary>Starts the sweeps that are due. Returns the targets that must be polled one by one: no list serves them, a hint arrived, or their account is not known yet.</summary>
    public IEnumerable<PollTarget> Start(IReadOnlyList<PollTarget> polled)
    {
        if (_sweeps.Count == 0)
        {
            return polled;
        }

        if (_accounts.Only is { } only)
        {
            return _sweeps[only].TryStart(polled) ? polled.Where(IsSingle) : polled;
        }

        return polled.GroupBy(target => _directory.FindInMemory(target.Key)).SelectMany(targets =>
            targets.Key is { } account && _sweeps.TryGetValue(account, out var sweep) && sweep.TryStart([.. targets]) ? targets.Where(IsSingle) : targets);
    }

    /// <summary>Whether a target is polled by itself although its account has a list.</summary>
    private bool IsSingle(PollTarget target) => target.IsUnlisted || target.MissedSweeps > 1 || target.IsHinted(target.Snapshot, _clock.GetUtcNow());
}
