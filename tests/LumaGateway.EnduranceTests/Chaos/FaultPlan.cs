using LumaGateway.Caching;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// The faults of a round: a pure function of the seed, the round and its length. Five lanes (upstream, Redis, replicas, token and clock, shared state
/// and callers) run independently, so that faults of different kinds overlap. Within a lane, one fault follows another after a pause.
/// In two of three rounds Redis loses no data, so that the checks of shared state need no exception for a failover. In the first of these it rejects writes.
/// </summary>
internal static class FaultPlan
{
    /// <summary>The only replica with a clock that can be changed.</summary>
    public const int ReplicaWithClock = ReplicaCount - 1;

    /// <summary>The number of replicas.</summary>
    public const int ReplicaCount = 3;

    private const int RedisLane = 1;

    /// <summary>The default of the setting, which the replicas use.</summary>
    private static readonly TimeSpan LockLifetime = new CacheOptions().LockLifetime;

    private static readonly Lane[] Lanes =
    [
        new(FaultKind.UpstreamSlow, FaultKind.UpstreamConnectionsAreClosed, ShortestSeconds: 2, LongestSeconds: 5),
        new(FaultKind.RedisIsKilled, FaultKind.RedisIsDown, ShortestSeconds: 3, LongestSeconds: 8),
        new(FaultKind.ReplicaIsKilled, FaultKind.ReplicaIsRestarted, ShortestSeconds: 2, LongestSeconds: 6),
        new(FaultKind.TokenIsRotated, FaultKind.ClockJumps, ShortestSeconds: 8, LongestSeconds: 12),
        new(FaultKind.RecordsAreDeleted, FaultKind.CallersDisconnect, ShortestSeconds: 2, LongestSeconds: 5),
    ];

    /// <summary>Returns the faults in the order of their start. Each ends within the round.</summary>
    public static IReadOnlyList<PlannedFault> Of(int seed, int round, TimeSpan length)
    {
        var faults = new List<PlannedFault>();
        for (var lane = 0; lane < Lanes.Length; lane++)
        {
            // Each lane has its own random numbers, so that a change in one lane does not affect the others.
            var random = new Random(unchecked((((seed * 7919) + round) * 31) + lane));
            var at = Seconds(random, 0.5, 4);
            while (true)
            {
                var kind = (FaultKind)random.Next((int)Lanes[lane].First, (int)Lanes[lane].Last + 1);
                kind = lane == RedisLane && round % 3 == 1 ? (FaultKind)((int)FaultKind.RedisIsFull + ((int)kind % 2)) : kind;
                var duration = Seconds(random, Lanes[lane].ShortestSeconds, Lanes[lane].LongestSeconds);
                duration += kind is FaultKind.ReplicaIsPaused ? LockLifetime : TimeSpan.Zero;
                var fault = new PlannedFault(lane, kind, at, duration, random.Next(ReplicaCount), SizeOf(kind, random));
                if (fault.End > length || (lane == RedisLane && round % 3 == 2))
                {
                    break;
                }

                faults.Add(fault);
                at = fault.End + Seconds(random, 1, 4);
            }
        }

        return [.. faults.OrderBy(fault => fault.Start)];
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

    /// <summary>Faults of one group. At most one of them is active.</summary>
    private sealed record Lane(FaultKind First, FaultKind Last, double ShortestSeconds, double LongestSeconds);
}
