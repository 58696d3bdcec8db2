using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Simulation;

/// <summary>
/// The protocol of the replicas under many schedules, each from a seed (docs/simulation.md). They run alone: a listener for spans in another test would change the schedules.
/// Needs nothing.
/// </summary>
[Collection(RunsAlone.Name)]
public sealed class SimulationTests
{
    [Fact]
    public void A_seed_repeats_its_trace()
    {
        SeedRange.ForEach(0, 20, static seed =>
        {
            var first = Simulation.Run(Schedule.Of(seed), isTraced: true);
            var second = Simulation.Run(Schedule.Of(seed), isTraced: true);

            Assert.Empty(first.Violations);
            Assert.True(first.Trace.Count > 100);
            Assert.Equal(first.Trace, second.Trace);
        });
    }

    [Fact]
    public void No_schedule_violates_the_protocol()
    {
        var (first, count) = SeedRange.FromEnvironment();

        var failed = SeedRange.FirstFailure(first, count, PlantedBug.None);

        Assert.True(failed is null, failed is { } seed ? Shrinker.Describe(Schedule.Of(seed), PlantedBug.None) : null);
    }

    [Theory]
    [InlineData(nameof(PlantedBug.WriteIgnoresToken), nameof(Property.NothingOlderThanAPurge))]
    [InlineData(nameof(PlantedBug.WriteIgnoresNewer), nameof(Property.NewerEntryStays))]
    [InlineData(nameof(PlantedBug.LockIgnoresOwner), nameof(Property.OneRequestAtATime))]
    [InlineData(nameof(PlantedBug.LockIsNotReleased), nameof(Property.NothingIsLeft))]
    [InlineData(nameof(PlantedBug.TokenExpires), nameof(Property.NothingOlderThanAPurge))]
    [InlineData(nameof(PlantedBug.ListedEntryIgnoresPurge), nameof(Property.NothingOlderThanAPurge))]
    [InlineData(nameof(PlantedBug.PurgeKeepsFetches), nameof(Property.NothingOlderThanAPurge))]
    [InlineData(nameof(PlantedBug.LateNotFoundIsNew), nameof(Property.FinalStays))]
    [InlineData(nameof(PlantedBug.LateResponseIsNew), nameof(Property.NothingGoesBack))]
    [InlineData(nameof(PlantedBug.FaultIsKept), nameof(Property.Recovers))]
    [InlineData(nameof(PlantedBug.ClaimIsLost), nameof(Property.OneBilledCreate))]
    [InlineData(nameof(PlantedBug.MemoryIsNotVerified), nameof(Property.NothingOlderThanAPurge))]
    [InlineData(nameof(PlantedBug.SlotsIgnoreLimit), nameof(Property.SlotsLimitJobs))]
    [InlineData(nameof(PlantedBug.LeaseIsKept), nameof(Property.NothingIsLeft))]
    [InlineData(nameof(PlantedBug.JobIsLost), nameof(Property.EveryCreateHasItsRecord))]
    [InlineData(nameof(PlantedBug.JobIsLost), nameof(Property.ReadsGoToTheAccount))]
    [InlineData(nameof(PlantedBug.JobNamesOtherAccount), nameof(Property.EveryCreateHasItsRecord))]
    [InlineData(nameof(PlantedBug.JobNamesOtherAccount), nameof(Property.ReadsGoToTheAccount))]
    [InlineData(nameof(PlantedBug.BilledCreateMoves), nameof(Property.OneBilledCreate))]
    [InlineData(nameof(PlantedBug.CallerCancelsFetch), nameof(Property.ReadsEnd))]
    [InlineData(nameof(PlantedBug.EachWaiterPolls), nameof(Property.RequestsAreBounded))]
    [InlineData(nameof(PlantedBug.PollsIgnoreInterval), nameof(Property.RequestsAreBounded))]
    [InlineData(nameof(PlantedBug.PollsIgnoreBackOff), nameof(Property.RequestsAreBounded))]
    [InlineData(nameof(PlantedBug.WaiterIsKept), nameof(Property.RequestsAreBounded))]
    [InlineData(nameof(PlantedBug.WaiterIsKept), nameof(Property.NothingIsLeft))]
    [InlineData(nameof(PlantedBug.PollerIsNotStarted), nameof(Property.WaitsEnd))]
    public void A_planted_bug_is_found_within_four_thousand_seeds_by_the_property_that_it_violates(string bug, string property)
    {
        var found = SeedRange.FirstFailure(0, 4000, Enum.Parse<PlantedBug>(bug), Enum.Parse<Property>(property));

        Assert.NotNull(found);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bug}: seed {found}");
    }
}
