using System.Runtime.InteropServices;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Polling;

namespace LumaGateway.LongPolling;

/// <summary>
/// One waiter and the poll targets that signal it. Lives as long as its request; disposing removes the waiter from the registry and from
/// all targets.
/// </summary>
internal sealed class WaiterSubscription : IDisposable
{
    private readonly WaiterRegistry _waiters;
    private readonly PollTargets _allTargets;
    private readonly List<PollTarget> _targets;
    private CancellationTokenRegistration _aborted;

    private WaiterSubscription(WaiterRegistry waiters, PollTargets allTargets, Waiter waiter, int count) =>
        (_waiters, _allTargets, Waiter, _targets) = (waiters, allTargets, waiter, new List<PollTarget>(count));

    public Waiter Waiter { get; }

    /// <summary>In the order of the ids.</summary>
    public IReadOnlyList<PollTarget> Targets => _targets;

    /// <inheritdoc cref="WaiterRegistry.TryAdd"/>
    public static WaiterSubscription? TryCreate(
        WaiterRegistry waiters, PollTargets targets, Client? client, WaiterKind kind, TimeSpan? timeout, IReadOnlyList<GenerationId> ids, CancellationToken aborted)
    {
        if (waiters.TryAdd(client, kind, timeout) is not { } waiter)
        {
            return null;
        }

        var subscription = new WaiterSubscription(waiters, targets, waiter, ids.Count);
        try
        {
            subscription.Subscribe(ids, aborted);
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    /// <summary>Removes the waiter from the targets even if its removal from the registry throws, as a metric listener may.</summary>
    public void Dispose()
    {
        _aborted.Dispose();
        try
        {
            _waiters.Remove(Waiter);
        }
        finally
        {
            _allTargets.RemoveWaiter(CollectionsMarshal.AsSpan(_targets), Waiter);
        }
    }

    private void Subscribe(IReadOnlyList<GenerationId> ids, CancellationToken aborted)
    {
        foreach (var id in ids)
        {
            _targets.Add(_allTargets.AddWaiter(id, Waiter));
        }

        _aborted = aborted.UnsafeRegister(static waiter => ((Waiter)waiter!).Signal(WaiterSignals.Disconnected), Waiter);
    }
}
