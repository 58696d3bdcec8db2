using System.Runtime.InteropServices;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Features.Waiting;

/// <summary>
/// One caller's place in the waiting room and the generations that it follows. Leaving frees everything that it held. Entered for a request, left
/// with it; it holds no permit of any limit meanwhile, only its place.
/// </summary>
internal sealed class Following : IDisposable
{
    private readonly WaitingRoom _room;
    private readonly WatchTable _table;
    private readonly List<Watch> _watches;
    private CancellationTokenRegistration _gone;

    private Following(WaitingRoom room, WatchTable table, Subscriber subscriber, int count) =>
        (_room, _table, Subscriber, _watches) = (room, table, subscriber, new List<Watch>(count));

    public Subscriber Subscriber { get; }

    /// <summary>In the order of the ids.</summary>
    public IReadOnlyList<Watch> Watches => _watches;

    /// <inheritdoc cref="WaitingRoom.TryEnter"/>
    public static Following? TryBegin(
        WaitingRoom room, WatchTable table, Client? client, WaiterKind kind, TimeSpan? atMost, IReadOnlyList<GenerationId> ids, CancellationToken gone)
    {
        if (room.TryEnter(client, kind, atMost) is not { } subscriber)
        {
            return null;
        }

        var following = new Following(room, table, subscriber, ids.Count);
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
            _room.Leave(Subscriber);
        }
        finally
        {
            _table.Leave(CollectionsMarshal.AsSpan(_watches), Subscriber);
        }
    }

    private void Join(IReadOnlyList<GenerationId> ids, CancellationToken gone)
    {
        foreach (var id in ids)
        {
            _watches.Add(_table.Join(new CacheKey(id.Value), Subscriber));
        }

        _gone = gone.UnsafeRegister(static subscriber => ((Subscriber)subscriber!).Signal(Signals.Gone), Subscriber);
    }
}
