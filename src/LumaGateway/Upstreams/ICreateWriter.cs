using System.Text.Json.Nodes;

namespace LumaGateway.Upstreams;

/// <summary>Writes the create of one kind of upstream. Pure: no network, no clock, no state. Thread-safe.</summary>
internal interface ICreateWriter
{
    /// <summary>
    /// Writes the upstream's request. The writer takes each field that it can express from <paramref name="fields"/>, and refuses the values that the upstream does
    /// not document. A given field that it does not take is refused.
    /// </summary>
    UpstreamCreate Write(CreateFields fields);

    /// <summary>The member of the body that names the address to call on each change of the state; null if the upstream calls none.</summary>
    (string Name, JsonNode Value)? CallbackMember(string url);

    /// <summary>The model in a body that <see cref="Write"/> has written, with the options of the dialect; null if it has none.</summary>
    string? ModelOf(JsonObject body);

    /// <summary>Whether the upstream documents <c>user_id</c> in the body.</summary>
    bool HasUserId { get; }
}

/// <summary>A create in the words of one upstream.</summary>
/// <param name="Path">The path below <c>Luma:BaseAddress</c>, without a leading slash.</param>
/// <param name="Body">The body.</param>
internal sealed record UpstreamCreate(string Path, JsonObject Body);
