using LumaGateway.Caching;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Simulation;

/// <summary>A read of a caller. It has no end if its replica crashed.</summary>
internal sealed class ReadRecord(SimulatedProcess process, int key, int beginStep, TimeSpan beginAt)
{
    public SimulatedProcess Process => process;

    public int Key => key;

    public int BeginStep => beginStep;

    public TimeSpan BeginAt => beginAt;

    public int? EndStep { get; set; }

    public TimeSpan EndAt { get; set; }

    public CacheResult Result { get; set; }

    /// <summary>After which time the caller disconnects; null if it waits for the result.</summary>
    public TimeSpan? Patience { get; init; }

    /// <summary>Whether the caller disconnected before the result.</summary>
    public bool HasLeft { get; set; }

    /// <summary>Whether it is a read after the last fault.</summary>
    public bool IsLast { get; init; }

    /// <summary>How long the caller waits for a final state; null for a plain read.</summary>
    public TimeSpan? Wait { get; init; }
}

/// <summary>A fetch of a replica: one read of a generation, with the search for its account.</summary>
internal sealed class FetchRecord(SimulatedProcess process, GenerationId key, string requestId, TimeSpan from)
{
    public SimulatedProcess Process => process;

    public GenerationId Key => key;

    /// <summary>The request that started it.</summary>
    public string RequestId => requestId;

    /// <summary>Whether the polling loop started it: its requests have random ids.</summary>
    public bool IsPoll { get; } = Guid.TryParseExact(requestId, "N", out _);

    public TimeSpan From => from;

    public TimeSpan To { get; set; } = TimeSpan.MaxValue;

    /// <summary>The result; null if it failed.</summary>
    public EntryKind? Kind { get; set; }
}

/// <summary>A purge of a caller.</summary>
internal sealed class PurgeRecord(SimulatedProcess process, int key, int beginStep, TimeSpan beginAt)
{
    public SimulatedProcess Process => process;

    public int Key => key;

    public int BeginStep => beginStep;

    public TimeSpan BeginAt => beginAt;

    public int? EndStep { get; set; }

    public TimeSpan EndAt { get; set; }

    public bool IsConfirmed { get; set; }
}

/// <summary>A generation that the caller of a create got.</summary>
internal sealed class CreateRecord(GenerationId id, TimeSpan respondedAt)
{
    public GenerationId Id => id;

    /// <summary>When the first caller got it.</summary>
    public TimeSpan RespondedAt => respondedAt;

    /// <summary>Whether a replica has seen the final state.</summary>
    public bool IsUpdated { get; set; }
}
