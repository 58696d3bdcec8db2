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

/// <summary>A create that was sent.</summary>
internal sealed class CreateRecord(string attempt)
{
    /// <summary>The key of its attempt in the ledger of jobs.</summary>
    public string Attempt => attempt;

    /// <summary>Its generation; null before the response, and if the outcome is unknown.</summary>
    public GenerationId? Id { get; set; }

    /// <summary>Whether its outcome was recorded, or could not be.</summary>
    public bool IsRecorded { get; set; }

    /// <summary>Whether a replica has seen the final state.</summary>
    public bool IsUpdated { get; set; }
}
