namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Upper bounds of upstream requests. The sandbox counts the requests.</summary>
internal static class UpstreamBounds
{
    /// <summary><c>Freshness:InterimMin</c>, which is also the lifetime of a cached 404. While Redis works, all replicas together read an id at most once in this time.</summary>
    private static readonly TimeSpan MinLifetime = TimeSpan.FromSeconds(1);

    /// <summary>The first attempt and <c>Luma:Retries</c>.</summary>
    private const int Attempts = 3;

    /// <summary>Reads of one replica that are in flight when a <c>Retry-After</c> arrives, or start together when it ends.</summary>
    private const int ReadsInFlight = 20;

    private const string Read = "GET /luma/generations/";

    public static long ReadsIn(RequestCounts counts) => Reads(counts).Sum(read => read.Count);

    /// <summary>After a 429 with <c>Retry-After</c> no replica sends a read before that time is over. The next 429 stops it again.</summary>
    public static void CheckRetryAfter(long reads, PlannedFault fault, Findings findings)
    {
        var limit = (long)(FaultPlan.ReplicaCount * ReadsInFlight * (Math.Ceiling(fault.Duration.TotalSeconds / fault.Size) + 1));
        findings.Check(Invariant.UpstreamRequestsAreBounded, reads <= limit, () => $"The throttling upstream got {reads} reads (limit {limit}): {fault}");
    }

    /// <summary>Without faults, all replicas together stay within the bound of one.</summary>
    public static void CheckWithoutFaults(RequestCounts counts, TimeSpan length, Findings findings)
    {
        var limit = (int)Math.Ceiling(length / MinLifetime) + 1;
        foreach (var (id, count) in Reads(counts))
        {
            findings.Check(
                Invariant.UpstreamRequestsAreBounded,
                count <= (id.StartsWith("done-", StringComparison.Ordinal) ? 1 : limit),
                () => $"{id} was read {count} times in {length.TotalSeconds:0.0} s without faults (limit {limit}, 1 for a final one).");
        }
    }

    /// <summary>During faults, each replica works alone, and each of its reads may need all its attempts.</summary>
    public static void CheckDuringFaults(RequestCounts counts, TimeSpan length, Findings findings)
    {
        var limit = (Math.Ceiling(length / MinLifetime) + 1) * FaultPlan.ReplicaCount * Attempts;
        foreach (var (id, count) in Reads(counts))
        {
            findings.Check(Invariant.UpstreamRequestsAreBounded, count <= limit, () => $"{id} was read {count} times in {length.TotalSeconds:0.0} s (limit {limit}).");
        }
    }

    private static IEnumerable<(string Id, long Count)> Reads(RequestCounts counts) => counts.ByPath
        .Where(path => path.Key.StartsWith(Read, StringComparison.Ordinal))
        .Select(path => (path.Key[Read.Length..], path.Value));
}
