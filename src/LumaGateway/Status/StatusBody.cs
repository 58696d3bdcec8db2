using System.Text.Json.Serialization;

namespace LumaGateway.Status;

/// <summary>The JSON of <c>/status</c>, which its page shows.</summary>
/// <param name="Version">The gateway's version.</param>
/// <param name="Runtime">The version of .NET.</param>
/// <param name="Replica">The name of the machine or pod.</param>
/// <param name="StartedAt">When this process started.</param>
/// <param name="Now">When this body was written.</param>
/// <param name="Traffic">The requests of callers.</param>
/// <param name="Cache">The cache results.</param>
/// <param name="Upstream">The upstream.</param>
/// <param name="Redis">Redis; null if none is configured.</param>
/// <param name="IsLedgerConnected">Whether the ledger's Redis is connected; null if none is configured.</param>
/// <param name="Replicas">All replicas that announced themselves in Redis; null without a usable Redis.</param>
/// <param name="Waiters">Callers with a long poll or an event stream on this replica.</param>
/// <param name="Targets">Generations with waiters on this replica.</param>
/// <param name="Routes">The slowest routes, slowest first.</param>
/// <param name="Clients">The clients with the most requests, in descending order.</param>
/// <param name="Faults">The latest upstream faults, latest first.</param>
internal sealed record StatusBody(
    string Version,
    string Runtime,
    string Replica,
    DateTimeOffset StartedAt,
    DateTimeOffset Now,
    TrafficBody Traffic,
    CacheBody Cache,
    UpstreamBody Upstream,
    RedisBody? Redis,
    bool? IsLedgerConnected,
    IReadOnlyList<ReplicaBody>? Replicas,
    long Waiters,
    long Targets,
    IReadOnlyList<RouteBody> Routes,
    IReadOnlyList<ClientBody> Clients,
    IReadOnlyList<FaultBody> Faults);

/// <summary>Requests now, in total, and in each of the last seconds, oldest first. A failure is a response with status 500 or above.</summary>
internal sealed record TrafficBody(long Active, long Total, long Failed, int[] Requests, int[] Failures, LatencyBody? Latency);

/// <summary>Cache results. <c>Results</c> are all results in each of the last seconds, oldest first; <c>WithoutUpstream</c> are those without an upstream read.</summary>
internal sealed record CacheBody(IReadOnlyDictionary<string, long> ResultsByStatus, long Faults, long Saved, int[] Results, int[] WithoutUpstream);

/// <summary>All upstream accounts as this replica sees them. The booleans are true if they are true for any account.</summary>
internal sealed record UpstreamBody(
    bool IsOpen,
    bool IsAccountRefused,
    long Active,
    long Queued,
    long Limit,
    long Reads,
    long Retried,
    long TokenFallbacks,
    IReadOnlyDictionary<string, long> Faults,
    int[] Requests,
    LatencyBody? Latency,
    IReadOnlyList<AccountBody> Accounts);

/// <summary>One upstream account. <c>Held</c>: the seconds that a <c>Retry-After</c> still holds its reads or creates.</summary>
internal sealed record AccountBody(
    string Name, string Dialect, bool IsDraining, bool IsOpen, bool IsAccountRefused, double Held, long Active, long Queued, long Reads, long Creates);

/// <summary>Redis as this replica sees it.</summary>
/// <param name="IsConnected">True if there is a connection.</param>
/// <param name="IsRead">True if reads use Redis.</param>
/// <param name="IsWritten">True if writes use Redis.</param>
/// <param name="Idle">Seconds since the last successful command.</param>
internal sealed record RedisBody(bool IsConnected, bool IsRead, bool IsWritten, double Idle);

/// <summary>Percentiles, in milliseconds.</summary>
internal sealed record LatencyBody(double P50, double P95, double P99);

/// <summary>One replica, as it announced itself.</summary>
/// <param name="Name">The name of its machine or pod.</param>
/// <param name="StartedAt">When its process started.</param>
/// <param name="Version">The gateway's version.</param>
/// <param name="Health"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Checks">Each dependency's state, by name.</param>
internal sealed record ReplicaBody(string Name, DateTimeOffset StartedAt, string Version, string Health, IReadOnlyDictionary<string, string> Checks);

/// <summary>The statistics of one route; those of requests without a route have null.</summary>
internal sealed record RouteBody(string Method, string? Route, long Total, long Failed, LatencyBody? Latency);

/// <summary>The requests of one client, under its name in metrics.</summary>
internal sealed record ClientBody(string Name, long Admitted, long Refused);

/// <summary>One upstream fault and its trace id.</summary>
internal sealed record FaultBody(DateTimeOffset At, string Kind, string? TraceId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatusBody))]
[JsonSerializable(typeof(ReplicaBody))]
internal sealed partial class StatusJson : JsonSerializerContext;
