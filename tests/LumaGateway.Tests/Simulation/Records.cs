using LumaGateway.Caching;

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
