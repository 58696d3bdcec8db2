using LumaGateway.Contracts;
using LumaGateway.Polling;

namespace LumaGateway.LongPolling;

/// <summary>One generation of a stream, with the state to send next. Its first read may end on another thread; all else is for the thread that sends.</summary>
/// <param name="id">The generation.</param>
/// <param name="target">Its poll target.</param>
/// <param name="snapshots">Tells which state may be sent before the first read has ended.</param>
internal sealed class StreamedGeneration(GenerationId id, PollTarget target, FirstSnapshotReader snapshots)
{
    private volatile GenerationSnapshot? _absent;
    private volatile bool _isRead;

    public GenerationId Id => id;

    public PollTarget Target => target;

    /// <summary>True if the first read has ended, or none is necessary.</summary>
    public bool IsRead => _isRead;

    /// <summary>The state that was taken last; null before the first.</summary>
    public GenerationSnapshot? Taken { get; set; }

    /// <summary>
    /// The latest state; null if none is known. Before the end of the first read, an older stream may have left an old state in the poll target: it counts only if it is recent.
    /// </summary>
    public GenerationSnapshot? FindSnapshot() => _absent ?? (_isRead || Taken is not null ? target.Snapshot : snapshots.FindRecent(target, id));

    /// <summary>True if the generation has been in an unknown state for too long.</summary>
    public bool IsUnknownForTooLong => target.IsUnknownForTooLong;

    /// <summary>The first read has ended, whatever its result, or none is necessary.</summary>
    public void SetRead() => _isRead = true;

    /// <summary>The generation is absent for this stream, whatever its poll target has: the client may not see it, or it had ended and is unknown now.</summary>
    public void SetAbsent(GenerationSnapshot absent) => _absent = absent;
}
