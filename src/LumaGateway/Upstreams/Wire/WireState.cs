using System.Collections.Frozen;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>An upstream's state as one of the gateway's four: whatever the upstream says, no other ever comes out.</summary>
/// <param name="State">Where the generation stands; processing where the upstream's word is unknown or missing.</param>
/// <param name="IsKnown">Whether the upstream's word is one that the gateway knows.</param>
internal readonly record struct WireState(GenerationState State, bool IsKnown)
{
    private static readonly FrozenDictionary<string, GenerationState> Spellings = new Dictionary<string, GenerationState>
    {
        ["queued"] = GenerationState.Queued,
        ["pending"] = GenerationState.Queued,
        ["staged"] = GenerationState.Queued,
        ["submitted"] = GenerationState.Queued,
        ["not_start"] = GenerationState.Queued,
        ["starting"] = GenerationState.Queued,
        ["in_queue"] = GenerationState.Queued,
        ["waiting"] = GenerationState.Queued,
        ["dreaming"] = GenerationState.Processing,
        ["processing"] = GenerationState.Processing,
        ["in_progress"] = GenerationState.Processing,
        ["running"] = GenerationState.Processing,
        ["completed"] = GenerationState.Completed,
        ["success"] = GenerationState.Completed,
        ["succeeded"] = GenerationState.Completed,
        ["failed"] = GenerationState.Failed,
        ["failure"] = GenerationState.Failed,
        ["fail"] = GenerationState.Failed,
        ["error"] = GenerationState.Failed,
        ["cancelled"] = GenerationState.Failed,
        ["canceled"] = GenerationState.Failed,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads a state, trimmed and in any case.</summary>
    public static WireState Read(JsonElement element) => Parse(element.Text());

    /// <summary>Reads a wrapped body's state: the wrapper's word counts wherever it says one, even an unknown one.</summary>
    public static WireState Read(JsonElement outer, JsonElement inner) => Parse(outer.Text() ?? inner.Text());

    private static WireState Parse(string? text) =>
        text is not null && Spellings.TryGetValue(text.Trim(), out var state)
            ? new WireState(state, IsKnown: true)
            : new WireState(GenerationState.Processing, IsKnown: false);
}
