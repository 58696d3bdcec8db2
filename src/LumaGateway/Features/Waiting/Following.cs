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
    private readonly CancellationTokenRegistration _gone;

    private Following(WaitingRoom room, WatchTable table, Subscriber subscriber, IReadOnlyList<GenerationId> ids, CancellationToken gone)
    {
        (_room, _table, Subscriber) = (room, table, subscriber);
        var watches = new Watch[ids.Count];
        for (var i = 0; i < watches.Length; i++)
        {
            watches[i] = table.Join(new CacheKey(ids[i].Value), subscriber);
        }

        Watches = watches;
        _gone = gone.UnsafeRegister(static subscriber => ((Subscriber)subscriber!).Signal(Signals.Gone), subscriber);
    }

    public Subscriber Subscriber { get; }

    /// <summary>In the order of the ids.</summary>
    public IReadOnlyList<Watch> Watches { get; }

    /// <summary>Null where the room is full.</summary>
    public static Following? TryBegin(
        WaitingRoom room, WatchTable table, WaiterKind kind, TimeSpan? atMost, IReadOnlyList<GenerationId> ids, CancellationToken gone) =>
        room.TryEnter(kind, atMost) is { } subscriber
            ? new Following(room, table, subscriber, ids, gone)
            : null;

    public void Dispose()
    {
        _gone.Dispose();
        foreach (var watch in Watches)
        {
            _table.Leave(watch, Subscriber);
        }

        _room.Leave(Subscriber);
    }
}
