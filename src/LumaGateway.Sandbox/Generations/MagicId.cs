using System.Collections.Immutable;
using System.Globalization;
using LumaGateway.Sandbox.Faults;

namespace LumaGateway.Sandbox.Generations;

/// <summary>
/// Ids that define their own time line, so that no create is needed. The word before the first <c>-</c> selects it; the
/// clock starts at the first request for the id. The README lists the words.
/// </summary>
internal static class MagicId
{
    /// <summary>Returns the time line that the id selects; empty for any other id.</summary>
    public static ImmutableArray<StateChange>? TimelineOf(string id, DateTimeOffset now, SandboxOptions options) =>
        id.Split('-') switch
        {
            ["done" or "image" or "nolink", _, ..] => [new(GenerationState.Completed, now)],
            ["fault", _, ..] when FaultId.Parse(id) is not null => [new(GenerationState.Completed, now)], // a misspelt fault is a 404
            ["fail", _, ..] => [new(GenerationState.Failed, now)],
            ["queued", _, ..] => [new(GenerationState.Queued, now)],
            ["processing", _, ..] => [new(GenerationState.Processing, now)],
            ["slow", _, ..] => Planned(now, options.QueuedFor, options.ProcessingFor),
            ["run", var time, ..] when Duration(time) is { } total => Planned(now, total / 4, total - (total / 4)),
            _ => null,
        };

    /// <summary>Queued, then processing, then completed.</summary>
    public static ImmutableArray<StateChange> Planned(DateTimeOffset now, TimeSpan queuedFor, TimeSpan processingFor) =>
    [
        new(GenerationState.Queued, now),
        new(GenerationState.Processing, now + queuedFor),
        new(GenerationState.Completed, now + queuedFor + processingFor),
    ];

    private static TimeSpan? Duration(string text)
    {
        var milliseconds = text.EndsWith("ms", StringComparison.Ordinal);
        var valid = int.TryParse(milliseconds ? text[..^2] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var amount);
        return valid ? TimeSpan.FromMilliseconds(milliseconds ? amount : amount * 1000.0) : null;
    }
}
