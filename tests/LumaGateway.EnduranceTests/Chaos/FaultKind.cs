namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>The kinds of faults. A name starts with the part of the system that fails. The order is part of the seed: a new kind changes the plans.</summary>
internal enum FaultKind
{
    /// <summary>Responses are delayed by <see cref="PlannedFault.Size"/> ms.</summary>
    UpstreamSlow,

    /// <summary>429 to every request, with a <c>Retry-After</c> of <see cref="PlannedFault.Size"/> s.</summary>
    UpstreamThrottles,

    /// <summary>The status <see cref="PlannedFault.Size"/> for most requests.</summary>
    UpstreamFails,

    /// <summary>Connections are reset before the response.</summary>
    UpstreamResets,

    /// <summary>Responses are truncated after half of the body.</summary>
    UpstreamTruncates,

    /// <summary>One byte every <see cref="PlannedFault.Size"/> ms.</summary>
    UpstreamDrips,

    /// <summary>Responses have another id than the requested one.</summary>
    UpstreamSendsWrongIds,

    /// <summary>An HTML page instead of JSON.</summary>
    UpstreamSendsHtml,

    /// <summary>No response.</summary>
    UpstreamHangs,

    /// <summary>All open connections to the upstream are closed every 300 ms.</summary>
    UpstreamConnectionsAreClosed,

    /// <summary>SIGKILL to the master; a restart at the end.</summary>
    RedisIsKilled,

    /// <summary>SIGSTOP to the master, SIGCONT at the end. It resumes in the role of master although a failover may have happened.</summary>
    RedisIsPaused,

    /// <summary>The Sentinel promotes the Redis replica.</summary>
    RedisFailsOver,

    /// <summary>The master rejects every write, because its memory is full.</summary>
    RedisIsFull,

    /// <summary>The master rejects every write, because it has too few replicas (<c>min-replicas-to-write</c>). Unlike a full master it also rejects purges.</summary>
    RedisRefusesWrites,

    /// <summary>SIGKILL to both servers; a restart at the end.</summary>
    RedisIsDown,

    /// <summary>SIGKILL; a restart at the end.</summary>
    ReplicaIsKilled,

    /// <summary>SIGSTOP; SIGCONT at the end. It lasts longer than the lifetime of a lock, so that another replica takes over the fetch.</summary>
    ReplicaIsPaused,

    /// <summary>SIGTERM; a restart as soon as the process has ended.</summary>
    ReplicaIsRestarted,

    /// <summary>The upstream accepts only another token from the middle of the fault on. Until the end, the token file has both.</summary>
    TokenIsRotated,

    /// <summary>The clock of one replica jumps by <see cref="PlannedFault.Size"/> s, and back at the end.</summary>
    ClockJumps,

    /// <summary>Idempotency records are deleted from Redis, half of them while the create runs.</summary>
    RecordsAreDeleted,

    /// <summary>The subscriptions of all replicas are closed every 200 ms, so that messages between replicas are lost.</summary>
    MessagesAreLost,

    /// <summary>Another program publishes malformed messages on the replicas' channel. If the replicas have a signing key, it also publishes forged ones: a long <c>Retry-After</c> and purges.</summary>
    MessagesAreForged,

    /// <summary>Callers send a request and reset the connection at once, 100 concurrently.</summary>
    CallersDisconnect,
}
