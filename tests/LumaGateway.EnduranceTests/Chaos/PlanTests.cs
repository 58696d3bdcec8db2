using LumaGateway.Caching;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>A plan of faults depends only on its seed.</summary>
public sealed class PlanTests
{
    [Fact]
    public void A_plan_depends_only_on_its_seed_and_fits_its_round()
    {
        var length = TimeSpan.FromSeconds(45);
        var plans = Enumerable.Range(0, 200).Select(seed => FaultPlan.Of(seed, seed % 7, length)).ToList();

        Assert.Equal(plans, Enumerable.Range(0, 200).Select(seed => FaultPlan.Of(seed, seed % 7, length)));
        Assert.All(plans.SelectMany(plan => plan), fault => Assert.InRange(fault.End, fault.Start, length));
        Assert.Equal(Enum.GetValues<FaultKind>(), plans.SelectMany(plan => plan).Select(fault => fault.Kind).Distinct().Order());
        Assert.NotEqual(plans[0], plans[1]);
    }

    [Fact]
    public void Redis_loses_no_data_in_two_of_three_rounds()
    {
        var faults = Enumerable.Range(0, 30).SelectMany(round => FaultPlan.Of(11, round, TimeSpan.FromSeconds(45)).Select(fault => (Kind: fault.Kind.ToString(), Round: round % 3)));
        var ofRedis = faults.Where(fault => fault.Kind.StartsWith("Redis", StringComparison.Ordinal)).ToLookup(fault => fault.Round, fault => fault.Kind);

        Assert.Contains("RedisFailsOver", ofRedis[0]);
        Assert.Equal(["RedisIsFull", "RedisRefusesWrites"], ofRedis[1].Distinct().Order());
        Assert.Empty(ofRedis[2]);
    }

    [Fact]
    public void A_replica_is_paused_for_longer_than_the_lifetime_of_its_lock()
    {
        var pauses = Enumerable.Range(0, 100).SelectMany(seed => FaultPlan.Of(seed, 0, TimeSpan.FromSeconds(45))).Where(fault => fault.Kind is FaultKind.ReplicaIsPaused).ToList();

        Assert.NotEmpty(pauses);
        Assert.All(pauses, pause => Assert.True(pause.Duration > new CacheOptions().LockLifetime, $"{pause}"));
    }

    [Fact]
    public void Half_an_hour_contains_each_kind_of_fault_at_least_three_times()
    {
        var counts = Enumerable.Range(0, 25).SelectMany(round => FaultPlan.Of(11, round, TimeSpan.FromSeconds(45))).CountBy(fault => fault.Kind).ToDictionary();

        Assert.All(Enum.GetValues<FaultKind>(), kind => Assert.True(counts.GetValueOrDefault(kind) >= 3, $"{kind}: {counts.GetValueOrDefault(kind)}"));
    }
}
