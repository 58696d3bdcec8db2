using LumaGateway.Polling;
namespace LumaGateway.LongPolling;

/// <summary>
/// What a stream has told so far, as the id of its last event, so that any replica can go on from there: the letter of each generation's state
/// (<see cref="GenerationSnapshot.Letter"/>), in the order of the ids. It names states and no bytes: a link that is signed anew is nothing that a client must be told again.
/// </summary>
internal sealed class EventIds
{
    /// <summary>All values of <see cref="GenerationSnapshot.Letter"/>, and <see cref="PollTarget.Unknown"/>.</summary>
    public const string Letters = "qpcfa-";

    private readonly char[] _told;

    /// <param name="count">How many generations are followed.</param>
    /// <param name="lastEventId">What the client had been told before; null or foreign where it had been told nothing.</param>
    public EventIds(int count, string? lastEventId) =>
        _told = lastEventId?.Length == count && lastEventId.All(Letters.Contains) ? lastEventId.ToCharArray() : [.. Enumerable.Repeat(PollTarget.Unknown, count)];

    public bool Knows(int index, GenerationSnapshot news) => _told[index] == news.Letter;

    /// <summary>The id of the event that tells it.</summary>
    public string Tell(int index, GenerationSnapshot news)
    {
        _told[index] = news.Letter;
        return new string(_told);
    }
}
