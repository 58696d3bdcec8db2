using LumaGateway.Caching;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Which faults strike in a round: a pure function of the seed, the round and its length. On each of five lanes (upstream, Redis, replicas, token
/// and clock, shared state and callers) one fault follows another after a breath; the lanes know nothing of each other, so that faults of all sorts meet.
/// Redis loses nothing in two of three rounds: what the replicas share is then judged strictly, with no failover that could excuse a loss. In the first of these it refuses writes.
/// </summary>
internal static class FaultPlan
{
    /// <summary>Only this one runs under a clock that can be moved.</summary>
    public const int ReplicaWithClock = ReplicaCount - 1;

    /// <summary>The number of replicas.</summary>
    public const int ReplicaCount = 3;

    private const int RedisLane = 1;

    /// <summary>What the replicas have: the setting's default.</summary>
    private static readonly TimeSpan LockLifetime = new CacheOptions().LockLifetime;

    private static readonly Lane[] Lanes =
    [
        new(FaultKind.UpstreamSlow, FaultKind.RoadIsCut, ShortestSeconds: 2, LongestSeconds: 5),
        new(FaultKind.RedisIsKilled, FaultKind.RedisIsGone, ShortestSeconds: 3, LongestSeconds: 8),
        new(FaultKind.ReplicaIsKilled, FaultKind.ReplicaIsRestarted, ShortestSeconds: 2, LongestSeconds: 6),
        new(FaultKind.TokenIsRotated, FaultKind.ClockJumps, ShortestSeconds: 8, LongestSeconds: 12),
        new(FaultKind.RecordsAreDeleted, FaultKind.CallersDisconnect, ShortestSeconds: 2, LongestSeconds: 5),
    ];

    /// <summary>In the order in which they begin. None lasts longer than the round.</summary>
    public static IReadOnlyList<PlannedFault> Of(int seed, int round, TimeSpan length)
    {
        var faults = new List<PlannedFault>();
        for (var lane = 0; lane < Lanes.Length; lane++)
        {
            // Each lane draws for itself: another fault on one changes nothing on the others.
            var random = new Random(unchecked((((seed * 7919) + round) * 31) + lane));
            var at = Seconds(random, 0.5, 4);
            while (true)
            {
                var kind = (FaultKind)random.Next((int)Lanes[lane].First, (int)Lanes[lane].Last + 1);
                kind = lane == RedisLane && round % 3 == 1 ? (FaultKind)((int)FaultKind.RedisIsFull + ((int)kind % 2)) : kind;
                var duration = Seconds(random, Lanes[lane].ShortestSeconds, Lanes[lane].LongestSeconds);
                duration += kind is FaultKind.ReplicaIsStopped ? LockLifetime : TimeSpan.Zero;
                var fault = new PlannedFault(lane, kind, at, duration, random.Next(ReplicaCount), SizeOf(kind, random));
                if (fault.End > length || (lane == RedisLane && round % 3 == 2))
                {
                    break;
                }

                faults.Add(fault);
                at = fault.End + Seconds(random, 1, 4);
            }
        }

        return [.. faults.OrderBy(fault => fault.At)];
    }

    private static int SizeOf(FaultKind kind, Random random) => kind switch
    {
        FaultKind.UpstreamSlow => random.Next(200, 3000),
        FaultKind.UpstreamThrottles => random.Next(1, 4),
        FaultKind.UpstreamFails => Pick(random, 500, 502, 503, 504),
        FaultKind.UpstreamDrips => random.Next(1, 20),
        FaultKind.ClockJumps => Pick(random, -3600, -90, -5, 5, 90, 3600),
        _ => 0,
    };

    private static int Pick(Random random, params int[] values) => values[random.Next(values.Length)];

    private static TimeSpan Seconds(Random random, double from, double to) => TimeSpan.FromSeconds(Math.Round(from + (random.NextDouble() * (to - from)), 1));

    /// <summary>Faults of one sort, of which one strikes at a time.</summary>
    private sealed record Lane(FaultKind First, FaultKind Last, double ShortestSeconds, double LongestSeconds);
}
