using System.Collections.Frozen;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>An upstream's state, mapped to one of the gateway's four states.</summary>
/// <param name="State">The mapped state; processing if the upstream's state is unknown or missing.</param>
/// <param name="IsKnown">Whether the gateway knows the upstream's state.</param>
internal readonly record struct WireState(GenerationState State, bool IsKnown)
{
    private static readonly FrozenDictionary<string, GenerationState> States = new Dictionary<string, GenerationState>
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

    /// <summary>Reads a state; ignores case and surrounding white space.</summary>
    public static WireState Read(JsonElement element) => Parse(element.AsText());

    /// <summary>Reads the state of a wrapped body. The wrapper's state takes precedence, even if it is unknown.</summary>
    public static WireState Read(JsonElement outer, JsonElement inner) => Parse(outer.AsText() ?? inner.AsText());

    private static WireState Parse(string? text) =>
        text is not null && States.TryGetValue(text.Trim(), out var state)
            ? new WireState(state, IsKnown: true)
            : new WireState(GenerationState.Processing, IsKnown: false);
}
