using System.Net;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Polling;
using LumaGateway.Problems;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Polling;

/// <summary>A state that arrives after a newer one, as a message of a slow Redis does. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class OutdatedStateTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public void An_outdated_state_does_not_make_the_next_poll_sooner()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        var outdated = NewEntry();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        targets.Update(NewEntry());
        var dueAt = target.DueAt;

        targets.UpdateFromReplica(outdated);

        // By the fake clock. The interval has jitter; the interval of the outdated state would end ten seconds sooner.
        Assert.InRange(target.DueAt - dueAt, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_state_from_before_a_failed_poll_does_not_make_the_next_poll_sooner()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        var outdated = NewEntry();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        targets.RecordFault(target);
        var dueAt = target.DueAt;

        targets.Update(outdated);
        Assert.Equal(dueAt, target.DueAt);

        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        targets.Update(NewEntry());
        Assert.NotEqual(dueAt, target.DueAt);
    }

    [Fact]
    public void A_failed_poll_counts_for_the_waiters_that_come_after_it()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var waiter = NewWaiter();
        var before = targets.AddWaiter(Entries.Key, waiter);
        var outdated = NewEntry();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        targets.RemoveWaiter([before], waiter);
        targets.RecordFault(before);

        var after = targets.AddWaiter(Entries.Key, NewWaiter());
        var dueAt = after.DueAt;
        targets.Update(outdated);

        Assert.NotSame(before, after);
        Assert.Equal(dueAt, after.DueAt);
    }

    [Fact]
    public void A_failed_poll_counts_for_the_waiters_that_came_during_it()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var waiter = NewWaiter();
        var before = targets.AddWaiter(Entries.Key, waiter);
        targets.RemoveWaiter([before], waiter);
        var after = targets.AddWaiter(Entries.Key, NewWaiter());
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        var dueAt = after.DueAt;

        targets.RecordFault(before);

        Assert.True(after.DueAt > dueAt);
    }

    [Fact]
    public async Task An_old_not_found_state_is_read_again_and_not_left_to_the_next_list_sweep()
    {
        _gateway.With("Luma:Dialect", "dream-machine").With("Waiting:ListFrom", "2").Upstream.AlwaysJson("{}", HttpStatusCode.NotFound);
        var (targets, snapshots) = (_gateway.Services.GetRequiredService<PollTargets>(), _gateway.Services.GetRequiredService<FirstSnapshotReader>());
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        targets.AddWaiter(GenerationId.Parse("g2", null), NewWaiter());
        Assert.Null(await snapshots.ReadAsync(Entries.Key, target, "request", null, TestContext.Current.CancellationToken)); // the next sweep provides it
        targets.Update(Entries.NotFound(_gateway.Clock.GetUtcNow()));
        _gateway.Clock.Advance(TimeSpan.FromMinutes(1));

        var fault = await Assert.ThrowsAsync<UpstreamException>(() => snapshots.ReadAsync(Entries.Key, target, "request", null, TestContext.Current.CancellationToken).AsTask());

        Assert.Equal(UpstreamFault.NotFound, fault.Fault); // no sweep reads a target that has ended
    }

    [Fact]
    public async Task A_new_waiter_of_a_known_generation_waits_after_its_own_first_404()
    {
        _gateway.Upstream.AlwaysJson("{}", HttpStatusCode.NotFound);
        var (targets, snapshots) = (_gateway.Services.GetRequiredService<PollTargets>(), _gateway.Services.GetRequiredService<FirstSnapshotReader>());
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        targets.Update(NewEntry());
        _gateway.Clock.Advance(TimeSpan.FromMinutes(1)); // the known state is too old for a new waiter

        Assert.Same(target.Snapshot, await snapshots.ReadAsync(Entries.Key, target, "request", null, TestContext.Current.CancellationToken));
        Assert.NotNull(target.Snapshot!.Summary);

        _gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        await Record.ExceptionAsync(() => snapshots.ReadAsync(Entries.Key, target, "request", null, TestContext.Current.CancellationToken).AsTask()); // not found, unless a poll was first
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.Null(target.Snapshot!.Summary);
    }

    [Fact]
    public async Task An_outdated_state_removes_no_newer_one_from_memory()
    {
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        var outdated = NewEntry();
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        var entry = NewEntry();
        await cache.PutAsync(entry, cache.Purges);

        Assert.False(cache.TryRemoveOlder(outdated));
        Assert.Same(entry, cache.TryGetFresh(Entries.Key, _gateway.Clock.GetUtcNow()));

        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(cache.TryRemoveOlder(NewEntry()));
        Assert.Null(cache.TryGetFresh(Entries.Key, _gateway.Clock.GetUtcNow()));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public void Only_the_end_of_a_running_generation_counts_as_detected(bool wasNotFound, int expected)
    {
        using var lag = _gateway.Collect<double>("luma_gateway.waiting.lag");
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        targets.Update(wasNotFound ? Entries.NotFound(_gateway.Clock.GetUtcNow()) : NewEntry());
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));

        targets.Update(Entries.Final(_gateway.Clock.GetUtcNow(), """{"id":"g1","state":"completed"}"""));

        Assert.NotNull(target.Snapshot!.Summary);
        Assert.Equal(expected, lag.GetMeasurementSnapshot().Count);
    }

    private static Waiter NewWaiter() => new(null, WaiterKind.LongPoll, TimeSpan.Zero, TimeSpan.MaxValue);

    private CacheEntry NewEntry() => Entries.Interim(_gateway.Clock.GetUtcNow(), """{"id":"g1","state":"processing"}""");
}
