namespace LumaGateway.Tests.Shared.Histories;

internal enum HistoryOperation
{
    Read,
    Purge,
    Delete,
    Create,
}

internal enum HistoryState
{
    Interim,
    Final,
    NotFound,
}

/// <summary>One call of a history: a read, purge or delete of a generation, or a create with an <c>Idempotency-Key</c>.</summary>
/// <param name="Replica">The process that was called. A restart gives it another name.</param>
/// <param name="Key">The generation, or the <c>Idempotency-Key</c>.</param>
/// <param name="Operation">The kind of the call.</param>
/// <param name="Begin">The place of the begin in the order of all begins and ends.</param>
/// <param name="End">The place of the end; null if the call did not end.</param>
internal sealed record HistoryCall(string Replica, string Key, HistoryOperation Operation, long Begin, long? End)
{
    /// <summary>The time of the begin, relative to the start of the run.</summary>
    public TimeSpan BeginAt { get; init; }

    public TimeSpan EndAt { get; init; }

    /// <summary>The state that a read returned; null if it returned none.</summary>
    public HistoryState? State { get; init; }

    /// <summary>The version of the state that a read returned: a later state of the generation has a higher one.</summary>
    public long? Version { get; init; }

    /// <summary>The lowest version that a later read may return; null if the call proves nothing.</summary>
    public long? ProvenVersion { get; init; }

    /// <summary>Whether a purge or delete was confirmed.</summary>
    public bool IsConfirmed { get; init; }

    /// <summary>The generation that a create returned; null if it returned none.</summary>
    public string? CreatedId { get; init; }

    public override string ToString() => $"{Operation} of {Key} at {Replica} from {Begin} to {End} ({EndAt.TotalSeconds:0.00} s): {State?.ToString() ?? CreatedId ?? "nothing"}, version {Version}";
}
