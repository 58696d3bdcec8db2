using System.Runtime.InteropServices;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Polling;

namespace LumaGateway.LongPolling;

/// <summary>
/// One caller's place in the waiting room and the generations that it follows. Leaving frees everything that it held. Entered for a request, left
/// with it; it holds no permit of any limit meanwhile, only its place.
/// </summary>
internal sealed class WaiterSubscription : IDisposable
{
    private readonly WaiterRegistry _room;
    private readonly PollTargets _table;
    private readonly List<PollTarget> _watches;
    private CancellationTokenRegistration _gone;

    private WaiterSubscription(WaiterRegistry room, PollTargets table, Waiter subscriber, int count) =>
        (_room, _table, Waiter, _watches) = (room, table, subscriber, new List<PollTarget>(count));

    public Waiter Waiter { get; }

    /// <summary>In the order of the ids.</summary>
    public IReadOnlyList<PollTarget> Watches => _watches;

    /// <inheritdoc cref="WaiterRegistry.TryEnter"/>
    public static WaiterSubscription? TryBegin(
        WaiterRegistry room, PollTargets table, Client? client, WaiterKind kind, TimeSpan? atMost, IReadOnlyList<GenerationId> ids, CancellationToken gone)
    {
        if (room.TryEnter(client, kind, atMost) is not { } subscriber)
        {
            return null;
        }

        var following = new WaiterSubscription(room, table, subscriber, ids.Count);
        try
        {
            following.Join(ids, gone);
            return following;
        }
        catch
        {
            following.Dispose();
            throw;
        }
    }

    /// <summary>Leaves the room first, then every watch: a callee that throws at one of them keeps none of the others.</summary>
    public void Dispose()
    {
        _gone.Dispose();
        try
        {
            _room.Leave(Waiter);
        }
        finally
        {
            _table.Leave(CollectionsMarshal.AsSpan(_watches), Waiter);
        }
    }

    private void Join(IReadOnlyList<GenerationId> ids, CancellationToken gone)
    {
        foreach (var id in ids)
        {
            _watches.Add(_table.Join(new CacheKey(id.Value), Waiter));
        }

        _gone = gone.UnsafeRegister(static subscriber => ((Waiter)subscriber!).Signal(WaiterSignals.Gone), Waiter);
    }
}
