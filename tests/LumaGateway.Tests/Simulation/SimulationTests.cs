namespace LumaGateway.Tests.Simulation;

/// <summary>The protocol of the replicas under many schedules, each from a seed (docs/simulation.md). Needs nothing.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void A_seed_repeats_its_trace()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var trace = Simulation.Run(Schedule.Of(seed), isTraced: true).Trace;

            Assert.True(trace.Count > 100);
            Assert.Equal(trace, Simulation.Run(Schedule.Of(seed), isTraced: true).Trace);
        }
    }

    [Fact]
    public void No_schedule_violates_the_protocol()
    {
        var (first, count) = SeedRange.FromEnvironment();

        var failed = SeedRange.FirstFailure(first, count, PlantedBug.None);

        Assert.True(failed is null, failed is { } seed ? Shrinker.Describe(Schedule.Of(seed), PlantedBug.None) : null);
    }

    [Theory]
    [InlineData(nameof(PlantedBug.WriteIgnoresToken))]
    [InlineData(nameof(PlantedBug.LockIgnoresOwner))]
    [InlineData(nameof(PlantedBug.LockIsNotReleased))]
    [InlineData(nameof(PlantedBug.TokenExpires))]
    [InlineData(nameof(PlantedBug.ListedEntryIgnoresPurge))]
    [InlineData(nameof(PlantedBug.PurgeKeepsFetches))]
    [InlineData(nameof(PlantedBug.ClaimIsLost))]
    [InlineData(nameof(PlantedBug.MemoryIsNotVerified))]
    public void A_planted_bug_is_found_within_a_thousand_seeds(string bug)
    {
        var found = SeedRange.FirstFailure(0, 1000, Enum.Parse<PlantedBug>(bug));

        Assert.NotNull(found);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bug}: seed {found}");
    }
}
