using System.Collections;

namespace LumaGateway.Telemetry;

/// <summary>The log scope of a request: its id, and the name of its client unless the route is public.</summary>
internal sealed class RequestLogScope(string requestId, string? client) : IReadOnlyList<KeyValuePair<string, object?>>
{
    public string RequestId => requestId;

    public string? Client => client;

    public int Count => client is null ? 1 : 2;

    public KeyValuePair<string, object?> this[int index] => index switch
    {
        0 => new(nameof(RequestId), requestId),
        1 when client is not null => new(nameof(Client), client),
        _ => throw new ArgumentOutOfRangeException(nameof(index)),
    };

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The text in the format <c>simple</c>.</summary>
    public override string ToString() => client is null ? $"RequestId:{requestId}" : $"RequestId:{requestId}, Client:{client}";
}
