using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace LumaGateway.Sandbox.Generations;

/// <summary>
/// All generations that were created, scripted or read. Above <see cref="Capacity"/> the oldest is removed. Thread-safe. All
/// dialects share it, so an id has the same state in each.
/// </summary>
internal sealed class GenerationStore(SandboxOptions options, TimeProvider clock)
{
    private const int Capacity = 100_000;

    private readonly ConcurrentDictionary<string, SandboxGeneration?> _generations = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();

    /// <summary>Returns the generation, which starts now if its id is a magic id; null if it is unknown or deleted. UUIDs match in any case.</summary>
    public SandboxGeneration? Find(string id)
    {
        id = Canonical(id);
        if (_generations.TryGetValue(id, out var known))
        {
            return known;
        }

        return MagicId.TimelineOf(id, clock.GetUtcNow(), options) is { } timeline
            ? Add(new SandboxGeneration(id, id.StartsWith("image-", StringComparison.Ordinal) ? "image" : "video", [], timeline, options.ClockOffset))
            : null;
    }

    public SandboxGeneration Create(string kind, JsonObject request)
    {
        var timeline = MagicId.Planned(clock.GetUtcNow(), options.QueuedFor, options.ProcessingFor);
        return Add(new SandboxGeneration(Guid.NewGuid().ToString(), kind, request, timeline, options.ClockOffset));
    }

    /// <summary>Sets the state of the generation now; creates the generation if it does not exist.</summary>
    public SandboxGeneration SetState(string id, GenerationState state)
    {
        if (Find(id) is { } known)
        {
            known.SetState(state, clock.GetUtcNow());
            return known;
        }

        id = Canonical(id);
        _generations.TryRemove(id, out _); // a deleted id can be created again
        return Add(new SandboxGeneration(id, "video", [], [new(state, clock.GetUtcNow())], options.ClockOffset));
    }

    /// <summary>Deletes a generation; a magic id stays unknown too. Returns false if the id was unknown before.</summary>
    public bool Delete(string id)
    {
        var known = Find(id);
        return known is not null && _generations.TryUpdate(known.Id, null, known);
    }

    public void Clear()
    {
        _generations.Clear();
        _order.Clear();
    }

    /// <summary>All current generations, newest first.</summary>
    public IReadOnlyList<SandboxGeneration> List() =>
        [.. _generations.Values.OfType<SandboxGeneration>().OrderByDescending(generation => generation.CreatedAt)];

    private static string Canonical(string id) => Guid.TryParseExact(id, "D", out var uuid) ? uuid.ToString() : id;

    private SandboxGeneration Add(SandboxGeneration generation)
    {
        var stored = _generations.GetOrAdd(generation.Id, generation);
        if (ReferenceEquals(stored, generation))
        {
            _order.Enqueue(generation.Id);
        }

        while (_order.Count > Capacity && _order.TryDequeue(out var oldest))
        {
            _generations.TryRemove(oldest, out _);
        }

        return stored ?? generation;
    }
}
