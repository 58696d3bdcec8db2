using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;

namespace LumaGateway.Polling;

/// <summary>The state of a polled generation, as one cache entry describes it. Immutable.</summary>
internal sealed class GenerationSnapshot
{
    /// <summary>Stands for a missing snapshot, where a <see cref="StateCode"/> is expected.</summary>
    public const char UnknownStateCode = '-';

    /// <summary>All values of <see cref="StateCode"/>, and <see cref="UnknownStateCode"/>.</summary>
    public const string StateCodes = "qpcfa-";

    public GenerationSnapshot(CacheEntry entry)
    {
        Entry = entry;
        if (entry.Kind is not EntryKind.NotFound)
        {
            Summary = GenerationSummary.Read(entry.Body);
        }
    }

    /// <summary>A snapshot of a generation that the upstream does not know.</summary>
    public static GenerationSnapshot Absent(GenerationId id, DateTimeOffset now) => new(new CacheEntry(id, EntryKind.NotFound, [], now, now, now));

    public CacheEntry Entry { get; }

    /// <summary>Null if the upstream does not know the generation.</summary>
    public GenerationSummary? Summary { get; }

    /// <summary>True if the generation is completed, failed or unknown to the upstream: polling it ends.</summary>
    public bool IsTerminal => Summary?.IsFinal ?? true;

    /// <summary>True if the upstream's state is one that the gateway does not know.</summary>
    public bool IsStateUnknown => Entry.IsStateUnknown;

    /// <summary>The state as one letter. Replicas exchange it, and event ids consist of it.</summary>
    public char StateCode => Summary?.State switch
    {
        GenerationState.Queued => 'q',
        GenerationState.Processing => 'p',
        GenerationState.Completed => 'c',
        GenerationState.Failed => 'f',
        _ => 'a',
    };

    /// <summary>Whether a <see cref="StateCode"/> is that of a final state.</summary>
    public static bool IsFinalCode(char code) => code is 'c' or 'f';

    /// <summary>True if the state is not the state of <paramref name="previous"/>. Other differences, such as new links, do not count.</summary>
    public bool DiffersFrom(GenerationSnapshot? previous) => previous is null || previous.StateCode != StateCode;
}
