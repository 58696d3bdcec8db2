namespace LumaGateway.Bench;

/// <summary>The contests, as data.</summary>
internal static class Contests
{
    public static readonly Load Sample = new($"/generations/{Lab.SampleId}");

    private const int RedisEntries = 20_000;
    private const int Video = 1024 * 1024;
    private static readonly Load RedisHit = new("/generations/redis-@id", "cycle", 1, RedisEntries);
    private static readonly Load Miss = new("/generations/new-@id", "new");
    private static readonly Load ForwardedMiss = new("/luma/generations/new-@id", "new");
    private static readonly Load Passthrough = new($"/luma/generations/{Lab.SampleId}");
    private static readonly Load Asset = new("/generations/film/video");

    public static IReadOnlyList<Contest> All { get; } =
    [
        new(
            "hit",
            "A hit in memory",
            $"""
            Body: {Lab.Slim.Length} bytes. The gateway checks the client's key and limits, counts, and sends ETag, Cache-Control, Cache-Status and a request id.
            The image ships the native program. The same sources on the JIT, after a warm-up of half a minute, are compared too. Both Kestrels are on the JIT.
            """,
            UpstreamRequests: 0,
            [
                new("gateway", "gateway", Sample, Length: Lab.Slim.Length),
                new("gateway on the JIT", "gateway-jit", Sample, Length: Lab.Slim.Length),
                new("bare Kestrel", "kestrel", Sample, Length: Lab.Slim.Length),
                new("tuned Kestrel", "tuned", Sample, Length: Lab.Slim.Length),
                new("nginx", "nginx", Sample, Length: Lab.Slim.Length),
                new("HAProxy", "haproxy", Sample, Length: Lab.Slim.Length),
                new("Varnish", "varnish", Sample, Length: Lab.Slim.Length),
            ]),
        new(
            "redis",
            "A hit in Redis",
            $"""
            {RedisEntries:#,0} ids are requested in turn, and the gateway's memory has room for about 60 entries: every hit is a hit in Redis. The gateway reads three keys in one
            round trip (final entry, interim entry, invalidation token) and validates the entry. The hand-written gateway reads one entry, the raw GET one string.
            """,
            UpstreamRequests: 0,
            [
                new("gateway", "gateway", RedisHit, "ConnectionStrings__Redis=@redis@ Cache__MemoryBytes=65536"),
                new("hand-written gateway", "hand-written", RedisHit, "@redis@"),
                new("raw GET", "raw-get", RedisHit, Length: Lab.Slim.Length),
            ],
            Fill: RedisEntries),
        new(
            "miss",
            "A miss",
            """
            Every id is new. The gateway and the hand-written gateway read the upstream's response, reduce it to the slim one and cache it. The others forward it
            unread.
            """,
            UpstreamRequests: 1,
            [
                new("gateway, memory", "gateway", Miss),
                new("gateway, Redis", "gateway", Miss, "ConnectionStrings__Redis=@redis@"),
                new("hand-written, memory", "hand-written", Miss),
                new("hand-written, Redis", "hand-written", Miss, "@redis@"),
                new("bare HttpClient", "forwarder", ForwardedMiss),
                new("bare YARP", "yarp", ForwardedMiss),
            ],
            AddedTo: "bare HttpClient"),
        new(
            "passthrough",
            "/luma, passed through",
            "The gateway as the native program that the image ships, and on the JIT like the bare YARP.",
            UpstreamRequests: 1,
            [
                new("gateway", "gateway", Passthrough),
                new("gateway on the JIT", "gateway-jit", Passthrough),
                new("bare YARP", "yarp", Passthrough),
                new("nginx", "nginx", Passthrough),
            ]),
        new(
            "assets",
            "Files, streamed",
            "A file of 1 MiB, so a request is a MiB. The load, which reads the files, and the CDN share a core.",
            UpstreamRequests: 1,
            [new("gateway", "gateway", Asset, Length: Video), new("nginx", "nginx", Asset, Length: Video)]),
    ];
}
