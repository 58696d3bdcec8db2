using LumaGateway.Upstreams;

namespace LumaGateway.Polling;

/// <summary>The list sweeps of all accounts whose upstream has a list. Only one thread may call <see cref="Start"/> at a time.</summary>
internal sealed class ListSweeps
{
    private const string LockName = "sweep";

    private readonly UpstreamAccounts _accounts;
    private readonly AccountDirectory _directory;
    private readonly Dictionary<UpstreamAccount, ListSweep> _sweeps;

    public ListSweeps(UpstreamAccounts accounts, AccountDirectory directory, IServiceProvider services)
    {
        (_accounts, _directory) = (accounts, directory);
        _sweeps = accounts.All.Where(static account => account.Client.SupportsList).ToDictionary(
            static account => account, account => ActivatorUtilities.CreateInstance<ListSweep>(services, new SweptList(account, account == accounts.First ? LockName : $"{LockName}:{account.Name}")));
    }

    public bool IsRunning => _sweeps.Values.Any(static sweep => sweep.IsRunning);

    /// <summary>
    /// True if the next sweep provides the state of a new target, at a lower cost than a read. With several accounts a read is necessary: it also finds the target's account.
    /// </summary>
    public bool ProvidesNewTargets(int targetCount) => _accounts.Only is { } only && _sweeps.TryGetValue(only, out var sweep) && sweep.IsWorthwhile(targetCount);

    /// <summary>Starts the sweeps that are due. Returns the targets that must be polled one by one: no list serves them, or their account is not known yet.</summary>
    public IEnumerable<PollTarget> Start(IReadOnlyList<PollTarget> polled)
    {
        if (_sweeps.Count == 0)
        {
            return polled;
        }

        if (_accounts.Only is { } only)
        {
            return _sweeps[only].TryStart(polled) ? polled.Where(static target => target.IsUnlisted) : polled;
        }

        return polled.GroupBy(target => _directory.FindInMemory(target.Key)).SelectMany(targets =>
            targets.Key is { } account && _sweeps.TryGetValue(account, out var sweep) && sweep.TryStart([.. targets]) ? targets.Where(static target => target.IsUnlisted) : targets);
    }
}
