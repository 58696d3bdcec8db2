using System.Buffers.Text;
using System.IO.Hashing;
using System.Text;

namespace LumaGateway.Features.Waiting;

/// <summary>
/// What a stream has told so far, as the id of its last event, so that any replica can go on from there. Of one generation it is the ETag of what was
/// told. Of several it is four bytes of each one's, in the order of the ids, since one event's own ETag would say nothing of the others.
/// </summary>
internal sealed class EventIds
{
    private const int Length = sizeof(uint);

    private readonly byte[] _marks;
    private string? _only;

    /// <param name="count">How many generations are followed.</param>
    /// <param name="lastEventId">What the client had been told before; null or foreign where it had been told nothing.</param>
    public EventIds(int count, string? lastEventId)
    {
        _marks = count == 1 ? [] : new byte[count * Length];
        if (count == 1)
        {
            _only = lastEventId;
        }
        else if (lastEventId is not null && Base64Url.IsValid(lastEventId, out var length) && length == _marks.Length)
        {
            Base64Url.DecodeFromChars(lastEventId, _marks);
        }
    }

    public bool Knows(int index, string etag) =>
        _marks.Length == 0 ? _only == etag : _marks.AsSpan(index * Length, Length).SequenceEqual(Mark(etag));

    /// <summary>The id of the event that tells it.</summary>
    public string Tell(int index, string etag)
    {
        if (_marks.Length == 0)
        {
            return _only = etag;
        }

        Mark(etag).CopyTo(_marks, index * Length);
        return Base64Url.EncodeToString(_marks);
    }

    private static byte[] Mark(string etag) => XxHash32.Hash(Encoding.UTF8.GetBytes(etag));
}
