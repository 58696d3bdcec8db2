namespace LumaGateway.Bench;

/// <summary>A section of the report. Parts with the same name run together.</summary>
internal sealed record Part(string Name, string Title, Func<Lab, Task<string>> RunAsync)
{
    public static readonly Load Sample = new($"/generations/{Lab.SampleId}");

    private const string WithRedis = "ConnectionStrings__Redis=@redis@";
    private static readonly Load RedisHit = new("/generations/redis-@id", "cycle", 1, 20_000);
    private static readonly Load Miss = new("/generations/new-@id", "new");
    private static readonly Load Passthrough = new($"/luma/generations/{Lab.SampleId}");

    public static IReadOnlyList<Part> All { get; } =
    [
        Contest("hit", "A hit in memory", 0, [new("gateway", Sample), new("tuned", Sample), new("nginx", Sample), new("haproxy", Sample)]),
        Contest("redis", "A hit in Redis", 0, [new("gateway", RedisHit, $"{WithRedis} Cache__MemoryBytes=65536"), new("hand-written", RedisHit, "@redis@")]),
        Contest("redis", "A miss with Redis", 1, [new("gateway", Miss, WithRedis), new("hand-written", Miss, "@redis@")]),
        Contest("miss", "A miss in memory mode", 1, [new("gateway", Miss), new("hand-written", Miss)]),
        Contest("luma", "/luma", 1, [new("gateway", Passthrough), new("yarp", Passthrough), new("nginx", Passthrough)]),
        new("latency", "Latency of a hit at half of the peak rate", Measurements.LatencyAsync),
        new("start", "Start and memory", Measurements.StartAsync),
        new("scaling", "How the cost of a hit grows", Measurements.ScalingAsync),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(part => part.Name).Distinct()];

    private static Part Contest(string name, string title, int upstreamRequests, Contender[] contenders) =>
        new(name, title, new Contest(upstreamRequests, contenders).RunAsync);
}
