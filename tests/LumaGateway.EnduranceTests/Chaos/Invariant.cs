namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The conditions that must hold under any fault.</summary>
internal enum Invariant
{
    /// <summary>No response is an internal error (500, <c>internal_error</c>).</summary>
    NoInternalError,

    /// <summary>Every error is a problem (RFC 9457) of the contract.</summary>
    ErrorsAreProblems,

    /// <summary>A replica without a fault of its own responds to every request.</summary>
    EveryRequestGetsAResponse,

    /// <summary>A response has the requested id, the shape of the contract and a possible state. An ETag belongs to one body.</summary>
    ResponsesAreCorrect,

    /// <summary>A final generation has one body, on every route and replica.</summary>
    FinalNeverChanges,

    /// <summary>A replica never returns an interim state after a final one. The other replicas follow within the lifetime of an interim response.</summary>
    FinalNeverTurnsInterim,

    /// <summary>A final response is served while the replica, or a stable Redis, has it.</summary>
    FinalIsNeverLost,

    /// <summary>The upstream gets no more requests than freshness, <c>Retry-After</c> and retries allow.</summary>
    UpstreamRequestsAreBounded,

    /// <summary>Repeated creates with one key create one generation and return one response.</summary>
    OneCreatePerKey,

    /// <summary>After a confirmed delete or purge no replica serves the old response.</summary>
    PurgedNeverReturns,

    /// <summary>The calls of each key have an order that explains them: no read goes back behind a final state, a purge, a delete or a create.</summary>
    HistoryIsConsistent,

    /// <summary>Without callers, no concurrency slot, waiter, poll target or queue entry is in use.</summary>
    NoResourceLeaks,

    /// <summary>No token, signing key or client key is in a response, log, metric or Redis.</summary>
    NoSecretLeaks,

    /// <summary>After the faults, the system works again in time.</summary>
    SystemRecovers,
}
