
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>How often the upstream may be asked at most. What it was asked is the sandbox's own count.</summary>
internal static class UpstreamBounds
{
    /// <summary><c>Freshness:UnfinishedMin</c>, and as long as an unknown id is believed: nothing is asked about more often, while Redis is well, by all replicas together.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>One and <c>Luma:Retries</c>.</summary>
    private const int Tries = 3;

    /// <summary>Reads of a replica that are on their way when it is told to pause, or begin in the same moment when the pause ends.</summary>
    private const int OnTheWay = 20;

    private const string Read = "GET /luma/generations/";

    public static long ReadsIn(RequestCounts counts) => Reads(counts).Sum(read => read.Count);

    /// <summary>Under a 429 with <c>Retry-After</c> no replica asks before the time is over, and then stops again.</summary>
    public static void CheckPause(long asked, PlannedFault fault, Findings findings)
    {
        var most = (long)(FaultPlan.ReplicaCount * OnTheWay * (Math.Ceiling(fault.For.TotalSeconds / fault.Size) + 1));
        findings.Check(Invariant.UpstreamIsSpared, asked <= most, () => $"{asked} reads reached an upstream that throttles, of at most {most}: {fault}");
    }

    /// <summary>With everything well, all replicas are one.</summary>
    public static void CheckPeace(RequestCounts counts, TimeSpan length, Findings findings)
    {
        var most = (int)Math.Ceiling(length / Shortest) + 1;
        foreach (var (id, count) in Reads(counts))
        {
            findings.Check(
                Invariant.UpstreamIsSpared,
                count <= (id.StartsWith("done-", StringComparison.Ordinal) ? 1 : most),
                () => $"{id} was asked about {count} times in {length.TotalSeconds:0.0} s of peace, of at most {most}; a finished one once.");
        }
    }

    /// <summary>With anything wrong, each replica is alone, and each of its reads may take all its tries.</summary>
    public static void CheckTrouble(RequestCounts counts, TimeSpan length, Findings findings)
    {
        var most = (Math.Ceiling(length / Shortest) + 1) * FaultPlan.ReplicaCount * Tries;
        foreach (var (id, count) in Reads(counts))
        {
            findings.Check(Invariant.UpstreamIsSpared, count <= most, () => $"{id} was asked about {count} times in {length.TotalSeconds:0.0} s, of at most {most}.");
        }
    }

    private static IEnumerable<(string Id, long Count)> Reads(RequestCounts counts) => counts.ByPath
        .Where(path => path.Key.StartsWith(Read, StringComparison.Ordinal))
        .Select(path => (path.Key[Read.Length..], path.Value));
}
