using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;

namespace LumaGateway.Polling;

/// <summary>What is known of a generation that somebody waits for. Immutable.</summary>
internal sealed class GenerationSnapshot
{
    public GenerationSnapshot(CacheEntry entry)
    {
        Entry = entry;
        if (entry.Kind is not EntryKind.NotFound)
        {
            Summary = GenerationSummary.Read(entry.Body);
        }
    }

    public CacheEntry Entry { get; }

    /// <summary>Null where there is no such generation.</summary>
    public GenerationSummary? Summary { get; }

    /// <summary>Whether there is nothing more to wait for.</summary>
    public bool IsLast => Summary?.IsTerminal ?? true;

    /// <summary>One letter, for other replicas; <see cref="PollTarget.Unknown"/> is none of them.</summary>
    public char Letter => Summary?.State switch
    {
        GenerationState.Queued => 'q',
        GenerationState.Processing => 'p',
        GenerationState.Completed => 'c',
        GenerationState.Failed => 'f',
        _ => 'a',
    };

    /// <summary>Whether it says something else than <paramref name="earlier"/> did: another state, that is.</summary>
    public bool Differs(GenerationSnapshot? earlier) => earlier is null || earlier.Letter != Letter;
}
