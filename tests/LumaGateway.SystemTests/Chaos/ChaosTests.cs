using LumaGateway.SystemTests.Hosting;

namespace LumaGateway.SystemTests.Chaos;

/// <summary>Everything goes wrong at once. Short every day; <c>bash tests/chaos --minutes 30</c> by hand.</summary>
[TestClass(DisableParallelization = true)]
public sealed class ChaosTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Whatever_goes_wrong_at_once_the_invariants_hold_and_all_is_well_again_soon()
    {
        RedisServer.Require();

        var broken = await new ChaosRun(ChaosOptions.FromEnvironment(), output.WriteLine, TimeProvider.System).RunAsync();

        Assert.Empty(broken);
    }

    [Fact]
    public void A_plan_comes_from_its_seed_alone_and_fits_its_round()
    {
        var length = TimeSpan.FromSeconds(45);
        var plans = Enumerable.Range(0, 200).Select(seed => FaultPlan.Of(seed, seed % 7, length)).ToList();

        Assert.Equal(plans, Enumerable.Range(0, 200).Select(seed => FaultPlan.Of(seed, seed % 7, length)));
        Assert.All(plans.SelectMany(plan => plan), fault => Assert.InRange(fault.End, fault.At, length));
        Assert.Equal(Enum.GetValues<FaultKind>(), plans.SelectMany(plan => plan).Select(fault => fault.Kind).Distinct().Order());
        Assert.NotEqual(plans[0], plans[1]);
    }
}
