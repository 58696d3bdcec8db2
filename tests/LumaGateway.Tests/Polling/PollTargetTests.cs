using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Tests.Caching;

namespace LumaGateway.Tests.Polling;

public sealed class PollTargetTests
{
    private static readonly TimeSpan Floor = TimeSpan.FromSeconds(1);

    [Fact]
    public void Within_the_floor_one_hint_is_accepted()
    {
        var target = new PollTarget(GenerationId.Parse("g1", null));
        var now = TimeSpan.FromHours(1);

        Assert.True(target.TryAcceptHint(now, Floor));
        Assert.False(target.TryAcceptHint(now + Floor - TimeSpan.FromTicks(1), Floor));
        Assert.True(target.TryAcceptHint(now + Floor, Floor));
    }

    [Fact]
    public void Of_concurrent_hints_one_is_accepted()
    {
        const int Callers = 4;
        const int Rounds = 500;
        var target = new PollTarget(GenerationId.Parse("g1", null));
        using var barrier = new Barrier(Callers);
        var accepted = new int[Rounds];
        var callers = Enumerable.Range(0, Callers).Select(_ => new Thread(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                barrier.SignalAndWait();
                if (target.TryAcceptHint(Floor * round, Floor))
                {
                    Interlocked.Increment(ref accepted[round]);
                }
            }
        })).ToList();

        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());

        Assert.All(accepted, count => Assert.Equal(1, count));
    }

    [Theory]
    [InlineData("processing")]
    [InlineData("completed")]
    public void A_state_that_was_requested_after_a_not_found_one_replaces_it(string state)
    {
        var target = new PollTarget(Entries.Key);
        target.TryUpdate(NotFound(Entries.Noon), Entries.Noon, out _);
        Assert.True(target.IsTerminal);

        Assert.False(target.TryUpdate(Snapshot(state, Entries.Noon.AddMilliseconds(-1)), Entries.Noon, out _));
        Assert.Null(target.Snapshot!.Summary);

        Assert.True(target.TryUpdate(Snapshot(state, Entries.Noon.AddMilliseconds(1)), Entries.Noon, out _));
        Assert.Equal(state == "completed", target.IsTerminal);
        Assert.NotNull(target.Snapshot!.Summary);
    }

    [Fact]
    public void Not_found_states_that_were_requested_before_the_known_one_do_not_end_waits()
    {
        var target = new PollTarget(Entries.Key);
        target.TryUpdate(Snapshot("processing", Entries.Noon), Entries.Noon, out _);

        target.TryUpdate(NotFound(Entries.Noon.AddMilliseconds(-2)), Entries.Noon, out _);
        target.TryUpdate(NotFound(Entries.Noon.AddMilliseconds(-1)), Entries.Noon, out _);
        Assert.False(target.IsTerminal);

        target.TryUpdate(NotFound(Entries.Noon.AddMilliseconds(1)), Entries.Noon, out _);
        Assert.False(target.IsTerminal);
        target.TryUpdate(NotFound(Entries.Noon.AddMilliseconds(2)), Entries.Noon, out _);
        Assert.True(target.IsTerminal);
    }

    [Fact]
    public void One_not_found_state_that_arrives_twice_counts_once()
    {
        var target = new PollTarget(Entries.Key);
        target.TryUpdate(Snapshot("processing", Entries.Noon), Entries.Noon, out _);

        target.TryUpdate(NotFound(Entries.Noon.AddMilliseconds(1)), Entries.Noon, out _);
        target.TryUpdate(NotFound(Entries.Noon.AddMilliseconds(1)), Entries.Noon, out _);

        Assert.False(target.IsTerminal);
    }

    [Fact]
    public void A_not_found_state_of_a_replica_whose_clock_is_ahead_does_not_keep_the_wait_of_a_deleted_generation()
    {
        var target = new PollTarget(Entries.Key);
        target.TryUpdate(Snapshot("processing", Entries.Noon), Entries.Noon, out _);

        target.TryUpdate(NotFound(Entries.Noon.AddHours(1)), Entries.Noon, out _);
        target.TryUpdate(NotFound(Entries.Noon.AddSeconds(1)), Entries.Noon.AddSeconds(1), out _);

        Assert.True(target.IsTerminal);
    }

    [Fact]
    public void A_not_found_state_of_a_replica_whose_clock_is_far_ahead_keeps_out_no_state()
    {
        var target = new PollTarget(Entries.Key);
        target.TryUpdate(NotFound(Entries.Noon.AddHours(1)), Entries.Noon, out _);

        Assert.True(target.TryUpdate(Snapshot("completed", Entries.Noon), Entries.Noon, out _));
    }

    [Fact]
    public void A_later_not_found_state_replaces_an_earlier_one()
    {
        var target = new PollTarget(Entries.Key);
        var later = NotFound(Entries.Noon.AddMilliseconds(1));
        target.TryUpdate(NotFound(Entries.Noon), Entries.Noon, out _);

        target.TryUpdate(later, Entries.Noon, out _);

        Assert.Same(later, target.Snapshot);
    }

    [Fact]
    public void Of_two_interim_states_the_one_that_was_requested_later_counts()
    {
        var target = new PollTarget(Entries.Key);
        var later = Entries.Interim(Entries.Noon, Body("processing"));
        var slow = new CacheEntry(Entries.Key, EntryKind.Interim, Encoding.UTF8.GetBytes(Body("queued")), Entries.Noon.AddSeconds(1), Entries.Noon.AddSeconds(3), Entries.Noon.AddSeconds(3))
        {
            RequestedAt = Entries.Noon.AddSeconds(-2),
        };
        target.TryUpdate(new(later), Entries.Noon, out _);

        target.TryUpdate(new(slow), Entries.Noon.AddSeconds(1), out _);

        Assert.Same(later, target.Snapshot!.Entry);
    }

    [Fact]
    public void A_final_state_is_replaced_by_a_later_one_with_newer_links()
    {
        var target = new PollTarget(Entries.Key);
        var renewed = Snapshot("completed", Entries.Noon.AddHours(1));
        target.TryUpdate(Snapshot("completed", Entries.Noon), Entries.Noon, out _);

        Assert.False(target.TryUpdate(renewed, Entries.Noon.AddHours(1), out _)); // the state has not changed
        Assert.Same(renewed, target.Snapshot);

        target.TryUpdate(Snapshot("completed", Entries.Noon.AddMinutes(1)), Entries.Noon.AddHours(1), out _);
        Assert.Same(renewed, target.Snapshot);
    }

    [Fact]
    public void A_completed_state_without_a_link_is_replaced_by_one_with_a_link_and_not_the_other_way_round()
    {
        var target = new PollTarget(Entries.Key);
        var linked = Snapshot("completed", Entries.Noon.AddSeconds(1));
        target.TryUpdate(Unlinked(Entries.Noon), Entries.Noon, out _);

        target.TryUpdate(linked, Entries.Noon.AddSeconds(1), out _);
        target.TryUpdate(Unlinked(Entries.Noon.AddSeconds(2)), Entries.Noon.AddSeconds(2), out _);

        Assert.Same(linked, target.Snapshot);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_final_state_becomes_neither_interim_nor_absent(bool isLinked)
    {
        var target = new PollTarget(Entries.Key);
        var final = isLinked ? Snapshot("completed", Entries.Noon) : Unlinked(Entries.Noon);
        target.TryUpdate(final, Entries.Noon, out _);

        target.TryUpdate(Snapshot("processing", Entries.Noon.AddSeconds(1)), Entries.Noon.AddSeconds(1), out _);
        target.TryUpdate(NotFound(Entries.Noon.AddSeconds(2)), Entries.Noon.AddSeconds(2), out _);
        target.TryUpdate(NotFound(Entries.Noon.AddSeconds(3)), Entries.Noon.AddSeconds(3), out _);

        Assert.Same(final, target.Snapshot);
    }

    private static GenerationSnapshot NotFound(DateTimeOffset requestedAt) => new(Entries.NotFound(requestedAt));

    private static GenerationSnapshot Snapshot(string state, DateTimeOffset requestedAt)
    {
        return new(state == "completed" ? Entries.Final(requestedAt, Body(state)) : Entries.Interim(requestedAt, Body(state)));
    }

    private static GenerationSnapshot Unlinked(DateTimeOffset requestedAt) => new(Entries.Interim(requestedAt, Body("completed")));

    private static string Body(string state) => $$"""{"id":"g1","state":"{{state}}"}""";
}
