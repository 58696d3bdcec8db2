namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>What chaos does to the system. The first part of a name says to whom.</summary>
internal enum FaultKind
{
    /// <summary>Answers late, by <see cref="PlannedFault.Size"/> ms.</summary>
    UpstreamSlow,

    /// <summary>429 to everything, with a <c>Retry-After</c> of <see cref="PlannedFault.Size"/> s.</summary>
    UpstreamThrottles,

    /// <summary>The status <see cref="PlannedFault.Size"/> for most requests.</summary>
    UpstreamFails,

    /// <summary>Connections are reset before an answer.</summary>
    UpstreamResets,

    /// <summary>Answers break off half way.</summary>
    UpstreamTruncates,

    /// <summary>One byte every <see cref="PlannedFault.Size"/> ms.</summary>
    UpstreamDrips,

    /// <summary>Answers about another id than the one asked for.</summary>
    UpstreamConfusesIds,

    /// <summary>A page for people instead of an answer.</summary>
    UpstreamSendsHtml,

    /// <summary>No answer ever.</summary>
    UpstreamHangs,

    /// <summary>Every connection there is, is cut every 300 ms.</summary>
    RoadIsCut,

    /// <summary>SIGKILL to the master; it is started again at the end.</summary>
    RedisIsKilled,

    /// <summary>SIGSTOP to the master, SIGCONT at the end: it comes back believing that it is the master still.</summary>
    RedisIsPaused,

    /// <summary>The Sentinel makes the replica the master.</summary>
    RedisFailsOver,

    /// <summary>The master refuses every write, because it is full.</summary>
    RedisIsFull,

    /// <summary>SIGKILL to both servers; they are started again at the end.</summary>
    RedisIsGone,

    /// <summary>SIGKILL; started again at the end.</summary>
    ReplicaIsKilled,

    /// <summary>SIGSTOP; SIGCONT at the end.</summary>
    ReplicaIsStopped,

    /// <summary>SIGTERM; started again as soon as it has drained.</summary>
    ReplicaIsRestarted,

    /// <summary>The upstream takes another token from the middle of it on; the file names both meanwhile.</summary>
    TokenIsRotated,

    /// <summary>The clock of one replica jumps by <see cref="PlannedFault.Size"/> s, and back at the end.</summary>
    ClockJumps,

    /// <summary>Records of keyed creates are deleted from Redis, a third of them every 300 ms.</summary>
    RecordsAreDeleted,

    /// <summary>The subscriptions of all replicas are cut every 200 ms: messages between replicas are lost.</summary>
    MessagesAreLost,

    /// <summary>Another program publishes malformed messages on the replicas' channel. With a signing key also forged ones: a long pause, purges.</summary>
    MessagesAreForged,

    /// <summary>300 callers send a request and reset the connection at once.</summary>
    CallersDisconnect,
}
