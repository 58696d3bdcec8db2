using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>The cache of one replica without Redis: hits, stale-if-error, refresh-ahead and purges. Needs nothing.</summary>
public sealed class ResponseCacheTests : IAsyncDisposable
{
    private static readonly UpstreamException Fault = new(UpstreamFault.Unreachable, "The origin is unreachable.");
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly WaitingClock _clock = new();
    private readonly CacheUnderTest _cache;

    public ResponseCacheTests() => _cache = CacheUnderTest.Create(_clock);

    private FakeOrigin Origin => _cache.Origin;

    public ValueTask DisposeAsync() => _cache.DisposeAsync();

    [Fact]
    public async Task A_miss_fetches_from_the_origin_and_the_next_read_is_a_hit()
    {
        Origin.Returns(Entries.Final(_clock.Now));

        var first = await _cache.ReadAsync();
        var second = await _cache.ReadAsync();

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Summary(first));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(second));
        Assert.Equal((Entries.Key, "request"), Origin.LastRequest);
        Assert.Equal(1, Origin.RequestCount);
    }

    [Fact]
    public async Task Callers_that_arrive_during_a_fetch_share_it()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));

        var first = _cache.ReadAsync();
        var second = _cache.ReadAsync();
        await fetch.ReachedAsync();
        fetch.Release();

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Summary(await first));
        Assert.Equal(("final", CacheStatus.Collapsed, CacheTier.None, null), Summary(await second));
        Assert.Equal(1, Origin.RequestCount);
    }

    [Fact]
    public async Task Callers_that_arrive_during_a_fetch_share_its_fault_and_the_next_caller_starts_a_new_fetch()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var first = _cache.ReadAsync();
        var second = _cache.ReadAsync();
        await fetch.ReachedAsync();

        fetch.Fail(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Summary(await first));
        Assert.Same(Fault, (await second).Fault);
        Origin.Returns(Entries.Final(_clock.Now));
        Assert.Equal("final", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task An_unexpected_exception_reaches_all_waiting_callers_and_no_later_caller()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var reads = new[] { _cache.ReadAsync(), _cache.ReadAsync() };
        await fetch.ReachedAsync();

        fetch.Fail(new InvalidOperationException("a bug"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => reads[0]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => reads[1]);
        Origin.Returns(Entries.Final(_clock.Now));
        Assert.Equal("final", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_cancelled_caller_does_not_cancel_the_fetch_and_its_entry_is_stored()
    {
        using var disconnected = new CancellationTokenSource();
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var first = _cache.ReadAsync(token: disconnected.Token);
        await fetch.ReachedAsync();

        await disconnected.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        fetch.Release();

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(1, Origin.RequestCount);
    }

    [Fact]
    public async Task An_interim_entry_is_fetched_again_when_it_is_stale()
    {
        Origin.Returns(Entries.Interim(_clock.Now, "first"));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromSeconds(2) - Tick);
        Assert.Equal("first", (await _cache.ReadAsync()).Entry.Text());

        _clock.Advance(Tick);
        Origin.Returns(Entries.Interim(_clock.Now, "second"));

        Assert.Equal(("second", CacheStatus.Miss, CacheTier.None, null), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task An_interim_entry_from_the_future_is_fetched_again()
    {
        Origin.Returns(Entries.Interim(_clock.Now.AddMinutes(1), "from the future"));
        await _cache.ReadAsync();

        Origin.Returns(Entries.Interim(_clock.Now, "from now"));

        Assert.Equal("from now", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_stale_final_entry_is_served_over_a_fault()
    {
        await StoreStaleAsync();
        Origin.Fails(Fault);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task After_a_fault_callers_get_the_stale_entry_at_once_with_one_fetch_per_pause()
    {
        await StoreStaleAsync();
        Origin.Fails(Fault);
        await _cache.ReadAsync();
        var requests = Origin.RequestCount;

        _clock.Advance(CacheUnderTest.RetryPause - Tick);
        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Summary(await _cache.ReadAsync()));
        Assert.Equal(requests, Origin.RequestCount);

        _clock.Advance(Tick);
        var refresh = Origin.HoldNext(Entries.Final(_clock.Now, "new"));
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text()); // without waiting for the refresh
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());
        Assert.Equal(requests + 1, Origin.RequestCount);

        refresh.Release();
        Assert.Equal(("new", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_refresh_that_fails_again_starts_a_new_pause_and_replaces_the_fault()
    {
        await StoreStaleAsync();
        Origin.Fails(Fault);
        await _cache.ReadAsync();
        _clock.Advance(CacheUnderTest.RetryPause);
        var second = new UpstreamException(UpstreamFault.TimedOut, "The origin is slow.");
        Origin.Fails(second);
        await _cache.ReadAsync();
        var requests = Origin.RequestCount;

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, second), Summary(await _cache.ReadAsync()));
        Assert.Equal(requests, Origin.RequestCount);
        _clock.Advance(CacheUnderTest.RetryPause);
        Origin.Returns(Entries.Final(_clock.Now, "new"));
        await _cache.ReadAsync();
        Assert.Equal("new", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task An_entry_past_StaleUntil_is_not_served_over_a_fault()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1), staleFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromHours(1.5));
        Origin.Fails(Fault);
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());

        _clock.Advance(TimeSpan.FromHours(0.5));
        Origin.Fails(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task An_interim_entry_is_not_served_over_a_fault()
    {
        Origin.Returns(Entries.Interim(_clock.Now));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromSeconds(2));
        Origin.Fails(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_slow_fetch_serves_the_stale_entry_and_its_own_entry_is_stored_later()
    {
        await StoreStaleAsync();
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "new"));
        var first = _cache.ReadAsync();
        var second = _cache.ReadAsync();
        await fetch.ReachedAsync();

        await _clock.PassAsync(CacheUnderTest.StaleAfter);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory), (Summary(await first).Body, (await first).Status, (await first).Tier));
        Assert.Equal(UpstreamFault.TimedOut, (await first).Fault!.Fault);
        Assert.NotEqual("", (await first).Fault!.Message);
        Assert.Equal("old", (await second).Entry.Text());
        Assert.Equal(("old", CacheStatus.Stale), (Summary(await _cache.ReadAsync()).Body, (await _cache.ReadAsync()).Status)); // later callers do not wait

        fetch.Release();
        Assert.Equal(("new", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_slow_fetch_that_throws_later_leaves_the_stale_entry_and_the_pause_in_place()
    {
        await StoreStaleAsync();
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "new"));
        var first = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _clock.PassAsync(CacheUnderTest.StaleAfter);
        await first;

        fetch.Fail(new InvalidOperationException("a bug"));

        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());
        Assert.Equal(2, Origin.RequestCount);
        _clock.Advance(CacheUnderTest.RetryPause);
        Origin.Returns(Entries.Final(_clock.Now, "newer"));
        await _cache.ReadAsync();
        Assert.Equal("newer", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task After_the_pause_no_second_fetch_starts_while_a_slow_one_is_in_flight()
    {
        await StoreStaleAsync();
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "new"));
        var first = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _clock.PassAsync(CacheUnderTest.StaleAfter);
        await first;

        _clock.Advance(CacheUnderTest.RetryPause);
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());

        Assert.Equal(2, Origin.RequestCount);
        fetch.Release();
    }

    [Fact]
    public async Task Without_a_stale_entry_callers_wait_for_a_slow_origin()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var first = _cache.ReadAsync();
        await fetch.ReachedAsync();

        Assert.False(_clock.HasWait(CacheUnderTest.StaleAfter));
        _clock.Advance(CacheUnderTest.StaleAfter * 2);
        fetch.Release();

        Assert.Equal(CacheStatus.Miss, (await first).Status);
    }

    [Fact]
    public async Task A_completed_fetch_cancels_the_timer_for_slow_fetches()
    {
        await StoreStaleAsync();
        Origin.Returns(Entries.Final(_clock.Now, "new"));

        await _cache.ReadAsync();

        Assert.False(_clock.HasWait(CacheUnderTest.StaleAfter));
    }

    [Fact]
    public async Task A_final_entry_near_its_end_is_refreshed_once_in_the_background()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromMinutes(59) - Tick);
        await _cache.ReadAsync();
        Assert.Equal(1, Origin.RequestCount);

        _clock.Advance(Tick);
        var refresh = Origin.HoldNext(Entries.Final(_clock.Now, "new"));
        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.RequestCount);

        refresh.Release();
        Assert.Equal("new", (await _cache.ReadAsync()).Entry.Text());
        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_failed_refresh_ahead_leaves_the_fresh_entry_in_place_and_is_repeated_after_the_pause()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromMinutes(59));
        Origin.Fails(Fault);
        await _cache.ReadAsync();

        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.RequestCount);

        _clock.Advance(CacheUnderTest.RetryPause);
        Origin.Returns(Entries.Final(_clock.Now, "new"));
        await _cache.ReadAsync();
        Assert.Equal("new", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_caller_that_joined_a_failed_refresh_ahead_gets_the_fresh_entry_as_a_hit()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1)));
        var old = (await _cache.ReadAsync()).Entry!;
        _clock.Advance(TimeSpan.FromMinutes(59));
        var refresh = Origin.HoldNext(old);
        await _cache.ReadAsync();
        var joined = _cache.RefreshAsync(_clock.Now);
        await refresh.ReachedAsync();

        refresh.Fail(Fault);

        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Summary(await joined));
    }

    [Fact]
    public async Task An_interim_result_does_not_replace_a_final_entry_and_there_is_one_fetch_per_pause()
    {
        await StoreStaleAsync();
        Origin.Returns(Entries.Interim(_clock.Now));

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_not_found_entry_replaces_a_final_one()
    {
        await StoreStaleAsync();
        Origin.Returns(Entries.NotFound(_clock.Now));

        Assert.Equal(EntryKind.NotFound, (await _cache.ReadAsync()).Entry!.Kind);
        Assert.Equal(EntryKind.NotFound, (await _cache.ReadAsync()).Entry!.Kind);
        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_final_entry_stored_during_a_failed_fetch_is_served()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).WithTimeout();

        fetch.Fail(Fault);

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Summary(await reading));
    }

    [Fact]
    public async Task A_final_entry_stored_during_a_failed_refresh_is_served_and_stays()
    {
        await StoreStaleAsync();
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).WithTimeout();

        fetch.Fail(Fault);

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Summary(await reading));
        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_late_interim_entry_does_not_replace_a_final_one_stored_meanwhile()
    {
        var fetch = Origin.HoldNext(Entries.Interim(_clock.Now, "late"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).WithTimeout();

        fetch.Release();
        await reading;

        Assert.Equal("offered", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_purge_removes_the_entry_and_is_counted()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        var purges = _cache.Cache.Purges;

        Assert.True(await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout());

        Assert.Equal(purges + 1, _cache.Cache.Purges);
        Origin.Returns(Entries.Final(_clock.Now, "fetched again"));
        Assert.Equal("fetched again", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_fetch_started_before_a_purge_completes_its_callers_and_is_not_stored()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "before"));
        var before = _cache.ReadAsync();
        await fetch.ReachedAsync();

        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();
        Origin.Returns(Entries.Final(_clock.Now, "after"));
        var after = await _cache.ReadAsync();
        fetch.Release();

        Assert.Equal("before", (await before).Entry.Text());
        Assert.Equal(("after", CacheStatus.Miss, CacheTier.None, null), Summary(after));
        Assert.Equal("after", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_stale_entry_purged_during_its_refresh_is_served_over_the_fault_but_not_stored()
    {
        await StoreStaleAsync();
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();

        fetch.Fail(Fault);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Summary(await reading));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task PutAsync_stores_a_final_entry_unless_a_fresh_final_one_exists()
    {
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "first"), _cache.Cache.Purges).WithTimeout();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "second"), _cache.Cache.Purges).WithTimeout();
        Assert.Equal(("first", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));

        _clock.Advance(TimeSpan.FromHours(1));
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "third"), _cache.Cache.Purges).WithTimeout();
        Assert.Equal("third", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task PutAsync_stores_nothing_if_the_key_may_have_been_purged_since()
    {
        var purges = _cache.Cache.Purges;
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();

        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "from before"), purges).WithTimeout();

        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task HasFreshFinal_is_true_only_for_a_fresh_final_entry()
    {
        Assert.False(_cache.Cache.HasFreshFinal(Entries.Key));
        Origin.Returns(Entries.Interim(_clock.Now));
        await _cache.ReadAsync();
        Assert.False(_cache.Cache.HasFreshFinal(Entries.Key));

        _clock.Advance(TimeSpan.FromSeconds(2));
        Origin.Returns(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        Assert.True(_cache.Cache.HasFreshFinal(Entries.Key));

        _clock.Advance(TimeSpan.FromHours(1));
        Assert.False(_cache.Cache.HasFreshFinal(Entries.Key));
    }

    [Fact]
    public async Task TryGetFresh_returns_only_an_entry_that_needs_neither_a_fetch_nor_a_refresh()
    {
        Assert.Null(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now));
        Origin.Returns(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1)));
        var entry = (await _cache.ReadAsync()).Entry;

        Assert.Same(entry, _cache.Cache.TryGetFresh(Entries.Key, _clock.Now));
        Assert.Same(entry, _cache.Cache.TryGetFresh(Entries.Key, _clock.Now.AddMinutes(59) - Tick));
        Assert.Null(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now.AddMinutes(59)));
        Assert.Null(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now.AddHours(1)));
    }

    [Fact]
    public async Task Without_Redis_an_entry_in_memory_is_valid_while_it_is_fresh()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, key: GenerationId.Parse("offered", null)), _cache.Cache.Purges).WithTimeout();

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.NotNull(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now));
        Assert.NotNull(_cache.Cache.TryGetFresh(GenerationId.Parse("offered", null), _clock.Now));
    }

    [Fact]
    public async Task FindAsync_returns_only_a_fresh_entry()
    {
        Assert.Null(await FindAsync());
        Origin.Returns(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1)));
        var entry = (await _cache.ReadAsync()).Entry;

        Assert.Same(entry, await FindAsync());
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(await FindAsync());
    }

    [Fact]
    public async Task TryRemoveOlder_removes_an_interim_entry_and_is_false_for_a_final_one()
    {
        Assert.True(_cache.Cache.TryRemoveOlder(Entries.Interim(_clock.Now.AddSeconds(1))));
        Origin.Returns(Entries.Interim(_clock.Now));
        await _cache.ReadAsync();

        Assert.True(_cache.Cache.TryRemoveOlder(Entries.Interim(_clock.Now.AddSeconds(1))));
        Origin.Returns(Entries.Final(_clock.Now));
        Assert.Equal("final", (await _cache.ReadAsync()).Entry.Text());

        Assert.False(_cache.Cache.TryRemoveOlder(Entries.Interim(_clock.Now.AddSeconds(1))));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_renewal_fetches_although_the_outdated_entry_is_fresh()
    {
        var outdated = await StoreAsync(Entries.Final(_clock.Now, "outdated"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Returns(Entries.Final(_clock.Now, "renewed"));

        Assert.Equal(("renewed", CacheStatus.Miss, CacheTier.None, null), Summary(await _cache.RenewAsync(outdated)));
        Assert.Equal("renewed", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_renewal_uses_an_entry_that_another_caller_has_fetched_since()
    {
        var outdated = await StoreAsync(Entries.Final(_clock.Now, "outdated"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Returns(Entries.Final(_clock.Now, "renewed"));
        await _cache.RenewAsync(outdated);

        Assert.Equal(("renewed", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.RenewAsync(outdated)));
        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_failed_renewal_returns_the_entry_that_is_still_fresh()
    {
        var outdated = await StoreAsync(Entries.Final(_clock.Now, "outdated"));
        Origin.Fails(Fault);

        Assert.Equal(("outdated", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.RenewAsync(outdated)));
    }

    [Fact]
    public async Task Concurrent_renewals_share_one_fetch()
    {
        var outdated = await StoreAsync(Entries.Final(_clock.Now, "outdated"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "renewed"));

        var first = _cache.RenewAsync(outdated);
        var second = _cache.RenewAsync(outdated);
        await fetch.ReachedAsync();
        fetch.Release();

        Assert.Equal(("renewed", CacheStatus.Miss, CacheTier.None, null), Summary(await first));
        Assert.Equal(("renewed", CacheStatus.Collapsed, CacheTier.None, null), Summary(await second));
        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_slow_renewal_does_not_serve_the_stale_entry()
    {
        var outdated = await StoreStaleAsync();
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "renewed"));
        var renewing = _cache.RenewAsync(outdated);
        await fetch.ReachedAsync();

        Assert.False(_clock.HasWait(CacheUnderTest.StaleAfter));
        fetch.Release();

        Assert.Equal("renewed", (await renewing).Entry.Text());
    }

    [Fact]
    public async Task RefreshAsync_fetches_if_the_interim_entry_is_older_than_requested()
    {
        await StoreAsync(Entries.Interim(_clock.Now, "first", TimeSpan.FromMinutes(1)));
        Assert.Equal(("first", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.RefreshAsync(_clock.Now)));

        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Returns(Entries.Interim(_clock.Now, "second"));
        Assert.Equal(("second", CacheStatus.Miss, CacheTier.None, null), Summary(await _cache.RefreshAsync(_clock.Now)));
    }

    [Fact]
    public async Task RefreshAsync_returns_a_fresh_final_entry_without_a_fetch()
    {
        await StoreAsync(Entries.Final(_clock.Now));

        Assert.Equal(CacheStatus.Hit, (await _cache.RefreshAsync(_clock.Now.AddMinutes(1))).Status);
        Assert.Equal(1, Origin.RequestCount);
    }

    [Fact]
    public async Task RefreshAsync_joins_a_fetch_in_flight()
    {
        var fetch = Origin.HoldNext(Entries.Interim(_clock.Now));
        var reading = _cache.ReadAsync();
        var refreshing = _cache.RefreshAsync(_clock.Now);
        await fetch.ReachedAsync();
        fetch.Release();

        Assert.Equal(CacheStatus.Miss, (await reading).Status);
        Assert.Equal(CacheStatus.Collapsed, (await refreshing).Status);
    }

    private static (string? Body, CacheStatus Status, CacheTier Tier, UpstreamException? Fault) Summary(CacheResult result) =>
        (result.Entry.Text(), result.Status, result.Tier, result.Fault);

    private async Task<CacheEntry?> FindAsync() => await _cache.Cache.FindAsync(Entries.Key);

    private async Task<CacheEntry> StoreAsync(CacheEntry entry)
    {
        Origin.Returns(entry);
        return (await _cache.ReadAsync()).Entry!;
    }

    /// <summary>Stores a final entry "old" and advances the clock until it is stale.</summary>
    private async Task<CacheEntry> StoreStaleAsync()
    {
        var old = await StoreAsync(Entries.Final(_clock.Now, "old"));
        _clock.Advance(TimeSpan.FromHours(1));
        return old;
    }
}
