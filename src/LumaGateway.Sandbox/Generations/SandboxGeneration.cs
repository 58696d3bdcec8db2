using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace LumaGateway.Sandbox.Generations;

/// <summary>
/// One generation: its create body and the time line of its states. The state is a pure function of the clock, so no
/// background work is needed. Thread-safe.
/// </summary>
internal sealed class SandboxGeneration(string id, string kind, JsonObject request, ImmutableArray<StateChange> timeline, TimeSpan clockOffset)
{
    private readonly Lock _lock = new();
    private ImmutableArray<StateChange> _timeline = timeline;
    private TaskCompletionSource _edited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id => id;

    /// <summary><c>video</c> or <c>image</c>.</summary>
    public string Kind => kind;

    /// <summary>The body of the create. Never modified, so concurrent clones are safe.</summary>
    public JsonObject Request => request;

    public string Prompt => Text("prompt") ?? Text("user_prompt") ?? "cat dance";

    /// <summary>The Agents API's tag of the end user; null if the create had none.</summary>
    public string? UserId => Text("user_id");

    public string AspectRatio => Text("aspect_ratio") ?? "16:9";

    public DateTimeOffset CreatedAt { get; } = timeline[0].At + clockOffset;

    /// <summary>True if the completed generation has no link, as in the responses of some relays.</summary>
    public bool HasLinks => !id.StartsWith("nolink-", StringComparison.Ordinal);

    public ImmutableArray<StateChange> Timeline
    {
        get
        {
            lock (_lock)
            {
                return _timeline;
            }
        }
    }

    /// <summary>Completes when the time line is next edited through the control API.</summary>
    public Task Edited
    {
        get
        {
            lock (_lock)
            {
                return _edited.Task;
            }
        }
    }

    public GenerationState StateAt(DateTimeOffset now) => (Timeline.LastOrDefault(change => change.At <= now) ?? Timeline[0]).State;

    /// <summary>Sets the state from now on and removes all later state changes.</summary>
    public void SetState(GenerationState state, DateTimeOffset now)
    {
        lock (_lock)
        {
            _timeline = [.. _timeline.Where(change => change.At <= now), new StateChange(state, now)];
            _edited.SetResult();
            _edited = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private string? Text(string name) => request[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
