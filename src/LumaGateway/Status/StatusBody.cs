using System.Text.Json.Serialization;

namespace LumaGateway.Status;

/// <summary>What the page shows, in one piece.</summary>
/// <param name="Version">The gateway's version.</param>
/// <param name="Runtime">The version of .NET.</param>
/// <param name="Replica">The name of the machine or pod.</param>
/// <param name="StartedAt">When this process began.</param>
/// <param name="Now">When this was written.</param>
/// <param name="Traffic">What callers asked.</param>
/// <param name="Cache">How they were answered.</param>
/// <param name="Upstream">How the upstream does.</param>
/// <param name="Redis">How Redis does; null where none is configured.</param>
/// <param name="Waiters">Callers who wait for generations to finish.</param>
/// <param name="Watched">Generations that somebody waits for.</param>
/// <param name="Routes">Slowest first.</param>
/// <param name="Clients">Busiest first.</param>
/// <param name="Faults">Latest first.</param>
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
    long Waiters,
    long Watched,
    IReadOnlyList<RouteBody> Routes,
    IReadOnlyList<ClientBody> Clients,
    IReadOnlyList<FaultBody> Faults);

/// <summary>Requests now, in total, and in each of the last seconds, oldest first; failures are answers of 500 and above.</summary>
internal sealed record TrafficBody(long Active, long Total, long Failed, int[] Requests, int[] Failures, LatencyBody? Latency);

/// <summary>Answers by how they came about, and what they saved; in each of the last seconds, oldest first: all, and those that cost nothing.</summary>
internal sealed record CacheBody(IReadOnlyDictionary<string, long> Answers, long Uncovered, long Saved, int[] Given, int[] Free);

/// <summary>The upstream as this replica sees it.</summary>
internal sealed record UpstreamBody(
    bool IsOpen,
    bool IsAccountRefused,
    long Active,
    long Queued,
    long Limit,
    long Asked,
    long Retried,
    long TokenFallbacks,
    IReadOnlyDictionary<string, long> Faults,
    int[] Requests,
    LatencyBody? Latency);

/// <summary>Redis as this replica sees it.</summary>
/// <param name="IsConnected">Whether there is a connection.</param>
/// <param name="IsRead">Whether it is read from.</param>
/// <param name="IsWritten">Whether it is written to.</param>
/// <param name="Silence">Seconds since it last did what it was asked to.</param>
internal sealed record RedisBody(bool IsConnected, bool IsRead, bool IsWritten, double Silence);

/// <summary>Milliseconds that half, 95 % and 99 % stayed within.</summary>
internal sealed record LatencyBody(double P50, double P95, double P99);

/// <summary>One route.</summary>
internal sealed record RouteBody(string Method, string Route, long Total, long Failed, LatencyBody? Latency);

/// <summary>One client as metrics name it.</summary>
internal sealed record ClientBody(string Name, long Admitted, long Refused);

/// <summary>One fault of the upstream, and the trace in which it happened.</summary>
internal sealed record FaultBody(DateTimeOffset At, string Kind, string? TraceId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StatusBody))]
internal sealed partial class StatusJson : JsonSerializerContext;
