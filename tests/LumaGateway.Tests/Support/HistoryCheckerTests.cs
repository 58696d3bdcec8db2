using LumaGateway.Tests.Shared.Histories;

namespace LumaGateway.Tests.Support;

/// <summary>Each check must find the one violation in a history, and nothing in a correct history. Needs nothing.</summary>
public sealed class HistoryCheckerTests
{
    private static readonly HistoryCall InterimRead = Read(HistoryState.Interim, version: 1, begin: 1);
    private static readonly HistoryCall FinalRead = Read(HistoryState.Final, version: 2, begin: 10);

    [Fact]
    public void A_correct_history_has_no_violation()
    {
        HistoryCall[] history =
        [
            InterimRead, FinalRead, Read(HistoryState.Interim, version: 1, begin: 9), // it overlaps the final read
            Read(HistoryState.Interim, version: 1, begin: 20) with { Replica = "b" }, // the entry in the memory of another replica
            Removal(HistoryOperation.Purge, version: 3, begin: 30), Read(HistoryState.Final, version: 3, begin: 40),
            Removal(HistoryOperation.Delete, version: 4, begin: 50), Read(HistoryState.NotFound, version: 4, begin: 60),
            Create("k", "id1", begin: 1), Create("k", "id1", begin: 5), Create("k2", "id2", begin: 5),
        ];

        Assert.Empty(HistoryChecker.FinalStays(history).Concat(HistoryChecker.NothingGoesBack(history, null)).Concat(HistoryChecker.CreatesAreUnique(history)));
    }

    [Fact]
    public void A_final_state_that_becomes_interim_is_found() => Assert.Single(HistoryChecker.FinalStays([InterimRead, FinalRead, Read(HistoryState.Interim, version: 9, begin: 20)]));

    [Fact]
    public void A_final_state_that_becomes_not_found_is_found() => Assert.Single(HistoryChecker.FinalStays([FinalRead, Read(HistoryState.NotFound, version: 9, begin: 20)]));

    [Fact]
    public void A_final_state_that_becomes_an_error_is_found() => Assert.Single(HistoryChecker.FinalStays([FinalRead, FinalRead with { Begin = 20, End = 21, State = null, Version = null }]));

    [Fact]
    public void A_purge_that_ended_before_the_final_read_does_not_excuse_its_loss() => Assert.Single(
        HistoryChecker.FinalStays([Removal(HistoryOperation.Purge, version: 1, begin: 2), FinalRead, Read(HistoryState.Interim, version: 9, begin: 20)]));

    [Fact]
    public void A_purge_after_the_final_read_and_a_delete_excuse_another_state()
    {
        Assert.Empty(HistoryChecker.FinalStays([FinalRead, Removal(HistoryOperation.Purge, version: 3, begin: 15), Read(HistoryState.Interim, version: 3, begin: 20)]));
        Assert.Empty(HistoryChecker.FinalStays([FinalRead, Removal(HistoryOperation.Delete, version: 3, begin: 15), Read(HistoryState.NotFound, version: 3, begin: 20)]));
    }

    [Theory]
    [InlineData("Read")]
    [InlineData("Purge")]
    [InlineData("Delete")]
    public void A_read_of_a_lower_version_than_the_same_replica_has_proven_is_found(string operation)
    {
        var proof = operation is "Read" ? FinalRead : Removal(Enum.Parse<HistoryOperation>(operation), version: 2, begin: 10);

        Assert.Contains("An older version", Assert.Single(HistoryChecker.NothingGoesBack([proof, Read(HistoryState.Interim, version: 1, begin: 12)], null)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_that_began_before_the_proof_ended_may_return_a_lower_version() =>
        Assert.Empty(HistoryChecker.NothingGoesBack([FinalRead, Read(HistoryState.Interim, version: 1, begin: 11)], null));

    [Fact]
    public void The_highest_proven_version_is_compared_and_not_the_last() => Assert.Single(
        HistoryChecker.NothingGoesBack([Read(HistoryState.Final, version: 5, begin: 1), Read(HistoryState.Final, version: 5, begin: 3) with { ProvenVersion = 2 }, Read(HistoryState.Final, version: 3, begin: 10)], null));

    [Fact]
    public void Another_replica_may_return_a_lower_version_until_the_lag_is_over()
    {
        HistoryCall[] history = [FinalRead, Read(HistoryState.Interim, version: 1, begin: 20) with { Replica = "b" }];

        Assert.Empty(HistoryChecker.NothingGoesBack(history, null));
        Assert.Empty(HistoryChecker.NothingGoesBack(history, TimeSpan.FromSeconds(9)));
        Assert.Single(HistoryChecker.NothingGoesBack(history, TimeSpan.FromSeconds(8)));
    }

    [Fact]
    public void Keys_and_unfinished_calls_are_not_compared() => Assert.Empty(HistoryChecker.NothingGoesBack(
        [FinalRead, Read(HistoryState.Interim, version: 1, begin: 20) with { Key = "other" }, Removal(HistoryOperation.Purge, version: 7, begin: 11) with { End = null }, Read(HistoryState.Final, version: 2, begin: 20)], null));

    [Fact]
    public void A_second_generation_for_one_key_is_found() => Assert.Single(HistoryChecker.CreatesAreUnique([Create("k", "id1", begin: 1), Create("k", "id2", begin: 5)]));

    [Fact]
    public void A_created_generation_that_is_not_found_is_found_unless_it_was_deleted()
    {
        var read = Read(HistoryState.NotFound, version: 4, begin: 10) with { Key = "id1" };

        Assert.Single(HistoryChecker.CreatesAreUnique([Create("k", "id1", begin: 1), read]));
        Assert.Empty(HistoryChecker.CreatesAreUnique([Create("k", "id1", begin: 9), read]));
        Assert.Empty(HistoryChecker.CreatesAreUnique([Create("k", "id1", begin: 1), Removal(HistoryOperation.Delete, version: 4, begin: 5) with { Key = "id1" }, read]));
    }

    private static HistoryCall Read(HistoryState state, long version, long begin) => Call(HistoryOperation.Read, begin) with { State = state, Version = version, ProvenVersion = state is HistoryState.Interim ? null : version };

    private static HistoryCall Removal(HistoryOperation operation, long version, long begin) => Call(operation, begin) with { IsConfirmed = true, ProvenVersion = version };

    private static HistoryCall Create(string key, string id, long begin) => Call(HistoryOperation.Create, begin) with { Key = key, CreatedId = id };

    private static HistoryCall Call(HistoryOperation operation, long begin) =>
        new("a", "g1", operation, begin, begin + 1) { BeginAt = TimeSpan.FromSeconds(begin), EndAt = TimeSpan.FromSeconds(begin + 1) };
}
