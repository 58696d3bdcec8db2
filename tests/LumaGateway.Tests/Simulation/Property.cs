namespace LumaGateway.Tests.Simulation;

/// <summary>A property of every run. docs/simulation.md tells when each is judged.</summary>
internal enum Property
{
    /// <summary>A final entry does not become interim or not-found.</summary>
    FinalStays,

    /// <summary>No response is older than a purge that ended before the read began.</summary>
    NothingOlderThanAPurge,

    /// <summary>The upstream gets one create for each idempotency key.</summary>
    OneBilledCreate,

    /// <summary>The upstream gets one request for a key at a time.</summary>
    OneRequestAtATime,

    /// <summary>The upstream gets no more requests for an id than the calls and the poll schedule allow.</summary>
    RequestsAreBounded,

    /// <summary>Every wait ends in time: after its time, and soon after the final state.</summary>
    WaitsEnd,

    /// <summary>Every read ends in time, with an entry or a fault.</summary>
    ReadsEnd,

    /// <summary>A read after the last fault gets an entry.</summary>
    Recovers,

    /// <summary>A replica returns no entry that was requested before one that it has returned.</summary>
    NothingGoesBack,

    /// <summary>A write does not replace an entry in Redis that was requested later.</summary>
    NewerEntryStays,

    /// <summary>Every create that was sent has a record in the ledger of jobs: that of its generation, or that of its attempt. It names its account.</summary>
    EveryCreateHasItsRecord,

    /// <summary>The reads of a created generation go to its account only.</summary>
    ReadsGoToTheAccount,

    /// <summary>The upstream runs no more jobs than the account's limit.</summary>
    SlotsLimitJobs,

    /// <summary>No fetch, no lock, no slot and no waiter, no poll and no work is left at the end.</summary>
    NothingIsLeft,
}

/// <summary>A property that a run violates, and where.</summary>
internal readonly record struct Violation(Property Property, string Text)
{
    public override string ToString() => $"{Property}: {Text}";
}
