namespace LumaGateway.Tests.Simulation;

/// <summary>Faults that a test plants in the simulated Redis, upstream or settings. The simulation must find each of them.</summary>
internal enum PlantedBug
{
    None,

    /// <summary>The write of an entry does not compare the invalidation token.</summary>
    WriteIgnoresToken,

    /// <summary>The write of an entry does not look for a newer one.</summary>
    WriteIgnoresNewer,

    /// <summary>The lock is given although another replica holds it.</summary>
    LockIgnoresOwner,

    /// <summary>The lock is not released.</summary>
    LockIsNotReleased,

    /// <summary>The invalidation token expires after a millisecond.</summary>
    TokenExpires,

    /// <summary>The invalidation token cannot be read, and a listed entry is stored after a purge.</summary>
    ListedEntryIgnoresPurge,

    /// <summary>A purge does not invalidate the fetches in flight.</summary>
    PurgeKeepsFetches,

    /// <summary>A late not-found response counts as new.</summary>
    LateNotFoundIsNew,

    /// <summary>Every late response counts as new.</summary>
    LateResponseIsNew,

    /// <summary>The claim of an idempotency key is lost.</summary>
    ClaimIsLost,

    /// <summary>A slot is given although the account has none free.</summary>
    SlotsIgnoreLimit,

    /// <summary>The lease of a create stays when its generation gets the slot.</summary>
    LeaseIsKept,

    /// <summary>The job of a generation is not recorded, and its attempt is removed.</summary>
    JobIsLost,

    /// <summary>The record of a job names another account.</summary>
    JobNamesOtherAccount,

    /// <summary>A create that was billed and failed counts as refused, and goes to the next account.</summary>
    BilledCreateMoves,

    /// <summary>A replica keeps the fault of a fetch, and returns it instead of fetching again.</summary>
    FaultIsKept,

    /// <summary>An entry in memory is not verified in Redis.</summary>
    MemoryIsNotVerified,

    /// <summary>A caller that disconnects cancels the fetch that it started.</summary>
    CallerCancelsFetch,

    /// <summary>Each waiting caller polls for itself, past the cache.</summary>
    EachWaiterPolls,

    /// <summary>A generation keeps its waiter after the caller has gone, and is polled on.</summary>
    WaiterIsKept,

    /// <summary>The polls do not keep the interval.</summary>
    PollsIgnoreInterval,

    /// <summary>The polls after a fault do not wait.</summary>
    PollsIgnoreBackOff,

    /// <summary>The polling loop does not run.</summary>
    PollerIsNotStarted,
}
