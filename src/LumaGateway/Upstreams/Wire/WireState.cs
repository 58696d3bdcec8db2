using System.Collections.Frozen;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>An upstream's state, mapped to one of the gateway's four states.</summary>
/// <param name="State">The mapped state; processing if the upstream's state is unknown or missing.</param>
/// <param name="IsKnown">Whether the gateway knows the upstream's state.</param>
internal readonly record struct WireState(GenerationState State, bool IsKnown)
{
    private const int MaxLength = 64;

    /// <summary>Every documented word of every upstream, without separators.</summary>
    private static readonly FrozenDictionary<string, GenerationState> States = new (GenerationState State, string Words)[]
    {
        (GenerationState.Queued,
            "queued queue queuing queueing pending staged submitted submitting created notstart starting inqueue waiting scheduled"),
        (GenerationState.Processing,
            "dreaming processing inprogress running generating started rendering"),
        (GenerationState.Completed,
            "completed complete success successful succeeded succeed done finished finish"),
        (GenerationState.Failed,
            "failed failure fail error cancelled canceled aborted expired timeout timedout rejected moderated contentmoderated nsfw blocked"),
    }.SelectMany(row => row.Words.Split(' ').Select(word => KeyValuePair.Create(word, row.State))).ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, GenerationState>.AlternateLookup<ReadOnlySpan<char>> Lookup =
        States.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Reads a state. Ignores case, white space, hyphens and underscores.</summary>
    public static WireState Read(JsonElement element) => Parse(element.AsText());

    /// <summary>As <see cref="Read"/>, for the text of a state.</summary>
    public static WireState Parse(string? text)
    {
        Span<char> word = stackalloc char[MaxLength];
        return TryRemoveSeparators(text, word, out var length) && Lookup.TryGetValue(word[..length], out var state)
            ? new WireState(state, IsKnown: true)
            : new WireState(GenerationState.Processing, IsKnown: false);
    }

    // False if the word is longer than any known one.
    private static bool TryRemoveSeparators(string? text, Span<char> word, out int length)
    {
        length = 0;
        foreach (var character in text.AsSpan())
        {
            if (character is '-' or '_' || char.IsWhiteSpace(character))
            {
                continue;
            }

            if (length == word.Length)
            {
                return false;
            }

            word[length++] = character;
        }

        return true;
    }
}
