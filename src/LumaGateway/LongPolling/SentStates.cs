using LumaGateway.Polling;

namespace LumaGateway.LongPolling;

/// <summary>
/// The states that a stream has sent, in the order of its generations. Their <see cref="GenerationSnapshot.StateCode"/>s are the id of the last event, so any
/// replica can resume the stream. The id contains no hash of the data: new links of a known state are not sent again.
/// </summary>
internal sealed class SentStates
{
    private readonly char[] _codes;

    /// <param name="count">The number of generations.</param>
    /// <param name="lastEventId">The client's <c>Last-Event-ID</c>. Null, or an id of another form, means that nothing was sent.</param>
    public SentStates(int count, string? lastEventId) =>
        _codes = lastEventId?.Length == count && lastEventId.All(GenerationSnapshot.StateCodes.Contains)
            ? lastEventId.ToCharArray()
            : [.. Enumerable.Repeat(GenerationSnapshot.UnknownStateCode, count)];

    public bool Contains(int index, GenerationSnapshot snapshot) => _codes[index] == snapshot.StateCode;

    /// <summary>Whether any state of the generation was sent.</summary>
    public bool HasState(int index) => _codes[index] != GenerationSnapshot.UnknownStateCode;

    /// <summary>Whether a final state of the generation was sent.</summary>
    public bool HasFinal(int index) => GenerationSnapshot.IsFinalCode(_codes[index]);

    /// <summary>Records the state as sent, and returns the id of its event.</summary>
    public string Add(int index, GenerationSnapshot snapshot)
    {
        _codes[index] = snapshot.StateCode;
        return new string(_codes);
    }
}
