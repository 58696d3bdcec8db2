using System.Net;
using LumaGateway.Caching;
using LumaGateway.LongPolling;
using LumaGateway.Polling;
using LumaGateway.Problems;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
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
    public void A_failed_poll_before_the_clock_is_set_back_does_not_keep_the_next_poll_due()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        targets.RecordFault(target);
        target.DueAt = TimeSpan.Zero; // the poll that reads the entry was due
        _gateway.Clock.AdjustTime(_gateway.Clock.GetUtcNow().AddHours(-1));

        targets.Update(NewEntry());

        Assert.True(target.DueAt > _gateway.Services.GetRequiredService<MonotonicClock>().Now);
    }

    [Fact]
    public async Task A_poll_that_takes_an_entry_from_before_the_last_failure_is_not_repeated_at_once()
    {
        var (targets, cache) = (_gateway.Services.GetRequiredService<PollTargets>(), _gateway.Services.GetRequiredService<ResponseCache>());
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        var entry = NewEntry(); // of a replica whose clock is behind
        _gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        targets.RecordFault(target);
        Assert.NotNull(await cache.PutAsync(entry, cache.Purges));
        target.DueAt = TimeSpan.Zero;

        await _gateway.Clock.UntilAsync(() => target.Snapshot is not null);

        Assert.True(target.DueAt > _gateway.Services.GetRequiredService<MonotonicClock>().Now);
        Assert.Equal(0, _gateway.Upstream.RequestCount);
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
    public void A_hint_before_the_clock_is_set_back_does_not_make_each_poll_sooner()
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        Assert.True(targets.TryHint(Entries.Key));
        _gateway.Clock.AdjustTime(_gateway.Clock.GetUtcNow().AddHours(-1));

        targets.Update(NewEntry());

        Assert.InRange((target.DueAt - _gateway.Services.GetRequiredService<MonotonicClock>().Now).TotalSeconds, 1.8, 2.2);
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
    public async Task An_old_not_found_state_is_read_again()
    {
        _gateway.Upstream.AlwaysJson("{}", HttpStatusCode.NotFound);
        var (targets, snapshots) = (_gateway.Services.GetRequiredService<PollTargets>(), _gateway.Services.GetRequiredService<FirstSnapshotReader>());
        var target = targets.AddWaiter(Entries.Key, NewWaiter());
        targets.Update(Entries.NotFound(_gateway.Clock.GetUtcNow()));
        _gateway.Clock.Advance(TimeSpan.FromMinutes(1));

        var fault = await Assert.ThrowsAsync<UpstreamException>(() => snapshots.ReadAsync(Entries.Key, target, "request", null, TestContext.Current.CancellationToken).AsTask());

        Assert.Equal(UpstreamFault.NotFound, fault.Fault); // no poll reads a target that has ended
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
