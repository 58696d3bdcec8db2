namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What must hold whatever goes wrong.</summary>
internal enum Invariant
{
    /// <summary>No answer is a 500.</summary>
    NoInternalError,

    /// <summary>Every refusal is a problem (RFC 9457) that the contract has.</summary>
    RefusalsAreProblems,

    /// <summary>A replica that nobody disturbs answers every request.</summary>
    EverybodyIsAnswered,

    /// <summary>An answer is about the id asked for, in the contract's shape, true, and its ETag names exactly its body.</summary>
    AnswersAreTrue,

    /// <summary>A finished generation has one body, on every route and replica.</summary>
    FinishedNeverChanges,

    /// <summary>What was finished for a replica stays so, and for the others after the time an unfinished answer may live.</summary>
    FinishedNeverTurnsUnfinished,

    /// <summary>A finished answer is given as long as the replica, or a Redis at peace, has it.</summary>
    FinishedIsNeverLost,

    /// <summary>The upstream is asked no more often than freshness, pauses and retries allow.</summary>
    UpstreamIsSpared,

    /// <summary>However often a create is repeated with its key, one generation is made, and one answer given.</summary>
    OneCreatePerKey,

    /// <summary>After a confirmed delete or purge no replica answers with the response from before.</summary>
    PurgedNeverReturns,

    /// <summary>When all callers are gone, no slot, waiter, watched generation or place in a queue is left.</summary>
    NothingIsLeft,

    /// <summary>No token, signing key or client key is in an answer, log, metric or Redis.</summary>
    SecretsAreKept,

    /// <summary>When the faults end, everything works again in time.</summary>
    EverythingRecovers,
}
