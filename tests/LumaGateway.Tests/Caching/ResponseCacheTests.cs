using LumaGateway.Caching;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>The cache of one replica without Redis: hits, stale-if-error, refresh-ahead, purges. Needs nothing.</summary>
public sealed class ResponseCacheTests : IAsyncDisposable
{
    private static readonly UpstreamException Fault = new(UpstreamFault.Unreachable, "The origin is away.");
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly WaitingClock _clock = new();
    private readonly CacheUnderTest _cache;

    public ResponseCacheTests() => _cache = CacheUnderTest.Create(_clock);

    private FakeOrigin Origin => _cache.Origin;

    public ValueTask DisposeAsync() => _cache.DisposeAsync();

    [Fact]
    public async Task A_miss_asks_the_origin_and_the_next_read_is_a_hit()
    {
        Origin.Answers(Entries.Final(_clock.Now));

        var first = await _cache.ReadAsync();
        var second = await _cache.ReadAsync();

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Seen(first));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(second));
        Assert.Equal((Entries.Key, "request"), Origin.LastAsked);
        Assert.Equal(1, Origin.Asked);
    }

    [Fact]
    public async Task Callers_who_come_during_a_fetch_share_it()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));

        var first = _cache.ReadAsync();
        var second = _cache.ReadAsync();
        await fetch.ReachedAsync();
        fetch.Release();

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Seen(await first));
        Assert.Equal(("final", CacheStatus.Collapsed, CacheTier.None, null), Seen(await second));
        Assert.Equal(1, Origin.Asked);
    }

    [Fact]
    public async Task Callers_who_come_during_a_fetch_share_its_fault_and_the_next_caller_asks_anew()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var first = _cache.ReadAsync();
        var second = _cache.ReadAsync();
        await fetch.ReachedAsync();

        fetch.Fail(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Seen(await first));
        Assert.Same(Fault, (await second).Fault);
        Origin.Answers(Entries.Final(_clock.Now));
        Assert.Equal("final", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_fault_of_the_program_reaches_all_who_wait_and_nobody_later()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var reads = new[] { _cache.ReadAsync(), _cache.ReadAsync() };
        await fetch.ReachedAsync();

        fetch.Fail(new InvalidOperationException("a bug"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => reads[0]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => reads[1]);
        Origin.Answers(Entries.Final(_clock.Now));
        Assert.Equal("final", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_caller_who_leaves_does_not_end_the_fetch_and_its_entry_is_kept()
    {
        using var leaving = new CancellationTokenSource();
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var first = _cache.ReadAsync(token: leaving.Token);
        await fetch.ReachedAsync();

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        fetch.Release();

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(1, Origin.Asked);
    }

    [Fact]
    public async Task An_interim_entry_is_asked_for_again_when_it_is_no_longer_fresh()
    {
        Origin.Answers(Entries.Interim(_clock.Now, "first"));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromSeconds(2) - Tick);
        Assert.Equal("first", (await _cache.ReadAsync()).Entry.Text());

        _clock.Advance(Tick);
        Origin.Answers(Entries.Interim(_clock.Now, "second"));

        Assert.Equal(("second", CacheStatus.Miss, CacheTier.None, null), Seen(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task An_entry_from_the_future_is_asked_for_again()
    {
        Origin.Answers(Entries.Interim(_clock.Now.AddMinutes(1), "from the future"));
        await _cache.ReadAsync();

        Origin.Answers(Entries.Interim(_clock.Now, "from now"));

        Assert.Equal("from now", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_stale_final_entry_is_served_over_a_fault()
    {
        await KeepStaleAsync();
        Origin.Fails(Fault);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Seen(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task After_a_fault_callers_get_the_stale_entry_at_once_and_the_origin_is_asked_once_a_pause()
    {
        await KeepStaleAsync();
        Origin.Fails(Fault);
        await _cache.ReadAsync();
        var asked = Origin.Asked;

        _clock.Advance(CacheUnderTest.RetryPause - Tick);
        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Seen(await _cache.ReadAsync()));
        Assert.Equal(asked, Origin.Asked);

        _clock.Advance(Tick);
        var refresh = Origin.Holds(Entries.Final(_clock.Now, "new"));
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text()); // without waiting for the refresh
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());
        Assert.Equal(asked + 1, Origin.Asked);

        refresh.Release();
        Assert.Equal(("new", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_refresh_that_fails_again_begins_a_new_pause_and_tells_its_own_fault()
    {
        await KeepStaleAsync();
        Origin.Fails(Fault);
        await _cache.ReadAsync();
        _clock.Advance(CacheUnderTest.RetryPause);
        var second = new UpstreamException(UpstreamFault.TimedOut, "The origin is slow.");
        Origin.Fails(second);
        await _cache.ReadAsync();
        var asked = Origin.Asked;

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, second), Seen(await _cache.ReadAsync()));
        Assert.Equal(asked, Origin.Asked);
        _clock.Advance(CacheUnderTest.RetryPause);
        Origin.Answers(Entries.Final(_clock.Now, "new"));
        await _cache.ReadAsync();
        Assert.Equal("new", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_stale_entry_past_its_time_is_not_served_over_a_fault()
    {
        Origin.Answers(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1), staleFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromHours(1.5));
        Origin.Fails(Fault);
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());

        _clock.Advance(TimeSpan.FromHours(0.5));
        Origin.Fails(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Seen(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task An_interim_entry_is_not_served_over_a_fault()
    {
        Origin.Answers(Entries.Interim(_clock.Now));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromSeconds(2));
        Origin.Fails(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Seen(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_slow_origin_is_a_fault_for_those_who_wait_and_its_answer_is_kept_when_it_comes()
    {
        await KeepStaleAsync();
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "new"));
        var first = _cache.ReadAsync();
        var second = _cache.ReadAsync();
        await fetch.ReachedAsync();

        await _clock.PassAsync(CacheUnderTest.StaleAfter);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory), (Seen(await first).Body, (await first).Status, (await first).Level));
        Assert.Equal(UpstreamFault.TimedOut, (await first).Fault!.Fault);
        Assert.NotEqual("", (await first).Fault!.Message);
        Assert.Equal("old", (await second).Entry.Text());
        Assert.Equal(("old", CacheStatus.Stale), (Seen(await _cache.ReadAsync()).Body, (await _cache.ReadAsync()).Status)); // nobody who comes now waits

        fetch.Release();
        Assert.Equal(("new", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.Asked);
    }

    [Fact]
    public async Task A_slow_fetch_that_breaks_after_all_leaves_callers_the_stale_entry_and_the_origin_its_pause()
    {
        await KeepStaleAsync();
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "new"));
        var first = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _clock.PassAsync(CacheUnderTest.StaleAfter);
        await first;

        fetch.Fail(new InvalidOperationException("a bug"));

        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());
        Assert.Equal(2, Origin.Asked);
        _clock.Advance(CacheUnderTest.RetryPause);
        Origin.Answers(Entries.Final(_clock.Now, "newer"));
        await _cache.ReadAsync();
        Assert.Equal("newer", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_slow_origin_whose_fetch_is_still_under_way_is_not_asked_again_after_the_pause()
    {
        await KeepStaleAsync();
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "new"));
        var first = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _clock.PassAsync(CacheUnderTest.StaleAfter);
        await first;

        _clock.Advance(CacheUnderTest.RetryPause);
        Assert.Equal("old", (await _cache.ReadAsync()).Entry.Text());

        Assert.Equal(2, Origin.Asked);
        fetch.Release();
    }

    [Fact]
    public async Task Without_a_stale_entry_callers_wait_for_a_slow_origin()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var first = _cache.ReadAsync();
        await fetch.ReachedAsync();

        Assert.False(_clock.HasWait(CacheUnderTest.StaleAfter));
        _clock.Advance(CacheUnderTest.StaleAfter * 2);
        fetch.Release();

        Assert.Equal(CacheStatus.Miss, (await first).Status);
    }

    [Fact]
    public async Task Once_the_origin_has_answered_nobody_is_told_that_it_is_slow()
    {
        await KeepStaleAsync();
        Origin.Answers(Entries.Final(_clock.Now, "new"));

        await _cache.ReadAsync();

        Assert.False(_clock.HasWait(CacheUnderTest.StaleAfter));
    }

    [Fact]
    public async Task A_final_entry_near_its_end_is_refreshed_ahead_once_and_nobody_waits_for_it()
    {
        Origin.Answers(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromMinutes(59) - Tick);
        await _cache.ReadAsync();
        Assert.Equal(1, Origin.Asked);

        _clock.Advance(Tick);
        var refresh = Origin.Holds(Entries.Final(_clock.Now, "new"));
        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.Asked);

        refresh.Release();
        Assert.Equal("new", (await _cache.ReadAsync()).Entry.Text());
        Assert.Equal(2, Origin.Asked);
    }

    [Fact]
    public async Task A_refresh_ahead_that_fails_costs_nobody_a_stale_answer_and_is_tried_again_after_the_pause()
    {
        Origin.Answers(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        _clock.Advance(TimeSpan.FromMinutes(59));
        Origin.Fails(Fault);
        await _cache.ReadAsync();

        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.Asked);

        _clock.Advance(CacheUnderTest.RetryPause);
        Origin.Answers(Entries.Final(_clock.Now, "new"));
        await _cache.ReadAsync();
        Assert.Equal("new", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task Who_joins_a_refresh_ahead_that_fails_gets_the_entry_that_is_still_fresh_as_a_hit()
    {
        Origin.Answers(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromHours(1)));
        var old = (await _cache.ReadAsync()).Entry!;
        _clock.Advance(TimeSpan.FromMinutes(59));
        var refresh = Origin.Holds(old);
        await _cache.ReadAsync();
        var joined = _cache.RefreshAsync(_clock.Now);
        await refresh.ReachedAsync();

        refresh.Fail(Fault);

        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Seen(await joined));
    }

    [Fact]
    public async Task A_final_entry_that_the_origin_takes_back_stays_and_the_origin_is_asked_once_a_pause()
    {
        await KeepStaleAsync();
        Origin.Answers(Entries.Interim(_clock.Now));

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(2, Origin.Asked);
    }

    [Fact]
    public async Task A_final_entry_is_replaced_by_another_final_one_and_by_not_found()
    {
        await KeepStaleAsync();
        Origin.Answers(Entries.Absent(_clock.Now));

        Assert.Equal(EntryKind.Absent, (await _cache.ReadAsync()).Entry!.Kind);
        Assert.Equal(EntryKind.Absent, (await _cache.ReadAsync()).Entry!.Kind);
        Assert.Equal(2, Origin.Asked);
    }

    [Fact]
    public async Task A_final_entry_that_came_meanwhile_is_served_where_a_fetch_fails()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).Soon();

        fetch.Fail(Fault);

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Seen(await reading));
    }

    [Fact]
    public async Task A_final_entry_that_came_during_a_refresh_is_served_and_stays_where_the_refresh_fails()
    {
        await KeepStaleAsync();
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).Soon();

        fetch.Fail(Fault);

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Seen(await reading));
        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task An_interim_entry_that_comes_late_does_not_replace_a_final_one_that_came_meanwhile()
    {
        var fetch = Origin.Holds(Entries.Interim(_clock.Now, "late"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).Soon();

        fetch.Release();
        await reading;

        Assert.Equal("offered", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_purge_forgets_and_is_counted()
    {
        Origin.Answers(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        var purges = _cache.Cache.Purges;

        Assert.True(await _cache.Cache.PurgeAsync(Entries.Key).Soon());

        Assert.Equal(purges + 1, _cache.Cache.Purges);
        Origin.Answers(Entries.Final(_clock.Now, "anew"));
        Assert.Equal("anew", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_fetch_begun_before_a_purge_answers_those_who_wait_and_is_not_kept()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "before"));
        var before = _cache.ReadAsync();
        await fetch.ReachedAsync();

        await _cache.Cache.PurgeAsync(Entries.Key).Soon();
        Origin.Answers(Entries.Final(_clock.Now, "after"));
        var after = await _cache.ReadAsync();
        fetch.Release();

        Assert.Equal("before", (await before).Entry.Text());
        Assert.Equal(("after", CacheStatus.Miss, CacheTier.None, null), Seen(after));
        Assert.Equal("after", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_stale_entry_that_was_purged_during_its_refresh_is_served_over_the_fault_but_not_kept()
    {
        await KeepStaleAsync();
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _cache.Cache.PurgeAsync(Entries.Key).Soon();

        fetch.Fail(Fault);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Seen(await reading));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task A_final_entry_that_is_offered_is_kept_unless_there_is_a_fresh_final_one()
    {
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "first"), _cache.Cache.Purges).Soon();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "second"), _cache.Cache.Purges).Soon();
        Assert.Equal(("first", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));

        _clock.Advance(TimeSpan.FromHours(1));
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "third"), _cache.Cache.Purges).Soon();
        Assert.Equal("third", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_final_entry_that_is_offered_is_dropped_where_the_key_may_have_been_purged_since()
    {
        var purges = _cache.Cache.Purges;
        await _cache.Cache.PurgeAsync(Entries.Key).Soon();

        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "from before"), purges).Soon();

        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task Only_a_fresh_final_entry_is_held()
    {
        Assert.False(_cache.Cache.Holds(Entries.Key));
        Origin.Answers(Entries.Interim(_clock.Now));
        await _cache.ReadAsync();
        Assert.False(_cache.Cache.Holds(Entries.Key));

        _clock.Advance(TimeSpan.FromSeconds(2));
        Origin.Answers(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1)));
        await _cache.ReadAsync();
        Assert.True(_cache.Cache.Holds(Entries.Key));

        _clock.Advance(TimeSpan.FromHours(1));
        Assert.False(_cache.Cache.Holds(Entries.Key));
    }

    [Fact]
    public async Task A_peek_gives_only_what_needs_neither_a_look_nor_a_refresh()
    {
        Assert.Null(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now));
        Origin.Answers(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1)));
        var entry = (await _cache.ReadAsync()).Entry;

        Assert.Same(entry, _cache.Cache.TryGetFresh(Entries.Key, _clock.Now));
        Assert.Same(entry, _cache.Cache.TryGetFresh(Entries.Key, _clock.Now.AddMinutes(59) - Tick));
        Assert.Null(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now.AddMinutes(59)));
        Assert.Null(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now.AddHours(1)));
    }

    [Fact]
    public async Task Without_a_Redis_memory_is_believed_for_as_long_as_an_entry_is_fresh()
    {
        Origin.Answers(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, key: new CacheKey("offered")), _cache.Cache.Purges).Soon();

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.NotNull(_cache.Cache.TryGetFresh(Entries.Key, _clock.Now));
        Assert.NotNull(_cache.Cache.TryGetFresh(new CacheKey("offered"), _clock.Now));
    }

    [Fact]
    public async Task What_is_found_without_asking_the_origin_is_fresh_or_nothing()
    {
        Assert.Null(await FindAsync());
        Origin.Answers(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1)));
        var entry = (await _cache.ReadAsync()).Entry;

        Assert.Same(entry, await FindAsync());
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(await FindAsync());
    }

    [Fact]
    public async Task Word_of_something_newer_has_an_interim_entry_forgotten_and_a_final_one_not()
    {
        _cache.Cache.RemoveInterim(Entries.Key);
        Origin.Answers(Entries.Interim(_clock.Now));
        await _cache.ReadAsync();

        _cache.Cache.RemoveInterim(Entries.Key);
        Origin.Answers(Entries.Final(_clock.Now));
        Assert.Equal("final", (await _cache.ReadAsync()).Entry.Text());

        _cache.Cache.RemoveInterim(Entries.Key);
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
    }

    [Fact]
    public async Task A_renewal_asks_the_origin_though_the_outdated_entry_is_fresh()
    {
        var outdated = await KeepAsync(Entries.Final(_clock.Now, "outdated"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Answers(Entries.Final(_clock.Now, "renewed"));

        Assert.Equal(("renewed", CacheStatus.Miss, CacheTier.None, null), Seen(await _cache.RenewAsync(outdated)));
        Assert.Equal("renewed", (await _cache.ReadAsync()).Entry.Text());
    }

    [Fact]
    public async Task A_renewal_is_content_with_what_another_caller_has_fetched_since()
    {
        var outdated = await KeepAsync(Entries.Final(_clock.Now, "outdated"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Answers(Entries.Final(_clock.Now, "renewed"));
        await _cache.RenewAsync(outdated);

        Assert.Equal(("renewed", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.RenewAsync(outdated)));
        Assert.Equal(2, Origin.Asked);
    }

    [Fact]
    public async Task A_renewal_that_fails_gives_the_entry_that_is_still_fresh()
    {
        var outdated = await KeepAsync(Entries.Final(_clock.Now, "outdated"));
        Origin.Fails(Fault);

        Assert.Equal(("outdated", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.RenewAsync(outdated)));
    }

    [Fact]
    public async Task Callers_who_renew_at_the_same_time_share_one_fetch()
    {
        var outdated = await KeepAsync(Entries.Final(_clock.Now, "outdated"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "renewed"));

        var first = _cache.RenewAsync(outdated);
        var second = _cache.RenewAsync(outdated);
        await fetch.ReachedAsync();
        fetch.Release();

        Assert.Equal(("renewed", CacheStatus.Miss, CacheTier.None, null), Seen(await first));
        Assert.Equal(("renewed", CacheStatus.Collapsed, CacheTier.None, null), Seen(await second));
        Assert.Equal(2, Origin.Asked);
    }

    [Fact]
    public async Task A_renewal_is_not_covered_by_the_entry_it_is_to_renew_where_the_origin_is_slow()
    {
        var outdated = await KeepStaleAsync();
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "renewed"));
        var renewing = _cache.RenewAsync(outdated);
        await fetch.ReachedAsync();

        Assert.False(_clock.HasWait(CacheUnderTest.StaleAfter));
        fetch.Release();

        Assert.Equal("renewed", (await renewing).Entry.Text());
    }

    [Fact]
    public async Task An_interim_entry_from_before_a_moment_does_not_do_for_who_asks_for_a_newer_one()
    {
        await KeepAsync(Entries.Interim(_clock.Now, "first", TimeSpan.FromMinutes(1)));
        Assert.Equal(("first", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.RefreshAsync(_clock.Now)));

        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Answers(Entries.Interim(_clock.Now, "second"));
        Assert.Equal(("second", CacheStatus.Miss, CacheTier.None, null), Seen(await _cache.RefreshAsync(_clock.Now)));
    }

    [Fact]
    public async Task A_fresh_final_entry_does_for_who_asks_for_a_newer_one()
    {
        await KeepAsync(Entries.Final(_clock.Now));

        Assert.Equal(CacheStatus.Hit, (await _cache.RefreshAsync(_clock.Now.AddMinutes(1))).Status);
        Assert.Equal(1, Origin.Asked);
    }

    [Fact]
    public async Task Who_asks_for_a_newer_entry_joins_the_fetch_under_way()
    {
        var fetch = Origin.Holds(Entries.Interim(_clock.Now));
        var reading = _cache.ReadAsync();
        var refreshing = _cache.RefreshAsync(_clock.Now);
        await fetch.ReachedAsync();
        fetch.Release();

        Assert.Equal(CacheStatus.Miss, (await reading).Status);
        Assert.Equal(CacheStatus.Collapsed, (await refreshing).Status);
    }

    private static (string? Body, CacheStatus Status, CacheTier Level, UpstreamException? Fault) Seen(CacheResult answer) =>
        (answer.Entry.Text(), answer.Status, answer.Level, answer.Fault);

    private async Task<CacheEntry?> FindAsync() => await _cache.Cache.FindAsync(Entries.Key);

    private async Task<CacheEntry> KeepAsync(CacheEntry entry)
    {
        Origin.Answers(entry);
        return (await _cache.ReadAsync()).Entry!;
    }

    /// <summary>Keeps a final entry "old" and lets its freshness pass.</summary>
    private async Task<CacheEntry> KeepStaleAsync()
    {
        var old = await KeepAsync(Entries.Final(_clock.Now, "old"));
        _clock.Advance(TimeSpan.FromHours(1));
        return old;
    }
}
