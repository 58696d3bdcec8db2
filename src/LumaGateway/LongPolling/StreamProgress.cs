using LumaGateway.Polling;

namespace LumaGateway.LongPolling;

/// <summary>Which states one stream has sent.</summary>
internal sealed class StreamProgress(IReadOnlyList<StreamedGeneration> generations, string? lastEventId)
{
    private readonly SentStates _sent = new(generations.Count, lastEventId);

    public int Count => generations.Count;

    /// <summary>True if all generations are terminal, or in an unknown state for too long, and the client has their states.</summary>
    public bool IsComplete => Holds(mayDependOnReads: false);

    /// <summary>
    /// True if the stream is complete, or may be without another event: only first reads that have not ended can still bring one, of generations whose state the client
    /// has, and polls of generations whose final state it has.
    /// </summary>
    public bool MayBeComplete => Holds(mayDependOnReads: true);

    /// <summary>The next state to send, and the id of its event; null if the client has all states.</summary>
    public (StreamedGeneration Generation, GenerationSnapshot Snapshot, string EventId)? TakeNext()
    {
        for (var i = 0; i < generations.Count; i++)
        {
            var generation = generations[i];
            if (FindSnapshot(i) is not { } snapshot || !snapshot.DiffersFrom(generation.Taken))
            {
                continue;
            }

            var isFirst = generation.Taken is null;
            generation.Taken = snapshot;
            if (!isFirst || !_sent.Contains(i, snapshot))
            {
                return (generation, snapshot, _sent.Add(i, snapshot));
            }
        }

        return null;
    }

    /// <summary>The latest state; null if none is known, or it is older than the final one that the client has from another replica.</summary>
    private GenerationSnapshot? FindSnapshot(int index) =>
        generations[index].FindSnapshot() is { } snapshot && (snapshot.IsTerminal || generations[index].Taken is not null || !_sent.HasFinal(index)) ? snapshot : null;

    private bool Holds(bool mayDependOnReads)
    {
        for (var i = 0; i < generations.Count; i++)
        {
            // Each is read once, in this order: a read may end, and the snapshot may be replaced, at any time.
            var (isRead, snapshot) = (generations[i].IsRead, FindSnapshot(i));
            var isOver = snapshot is not null && (snapshot.IsTerminal || generations[i].IsUnknownForTooLong) && _sent.Contains(i, snapshot);
            var isOpen = snapshot is null && (isRead ? _sent.HasFinal(i) : _sent.HasState(i));
            if (!isOver && !(mayDependOnReads && isOpen))
            {
                return false;
            }
        }

        return true;
    }
}
