namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>A plan of faults can be repeated from its seed.</summary>
public sealed class PlanTests
{
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
