using LumaGateway.Caching;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;
using StackExchange.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>What one fill does between memory, Redis and the origin, and what two replicas do to each other. Redis is a fake. Needs nothing.</summary>
public sealed class CacheFillTests : IAsyncLifetime
{
    private static readonly UpstreamException Fault = new(UpstreamFault.Unreachable, "The origin is away.");

    /// <summary>How long a replica waits between two tries to get the lock.</summary>
    private static readonly TimeSpan[] LockPauses = [.. new[] { 20, 30, 45, 67, 101, 120 }.Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds))];

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private CacheUnderTest _cache = null!;
    private CacheUnderTest _other = null!;

    public CacheFillTests() => _redis = new FakeRedis(_clock);

    private FakeOrigin Origin => _cache.Origin;

    public async ValueTask InitializeAsync()
    {
        _cache = await CacheUnderTest.StartAsync(_clock, _redis);
        _other = await CacheUnderTest.StartAsync(_clock, _redis);
        _redis.ForgetDone();
    }

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task What_one_replica_fetched_another_finds_in_Redis()
    {
        using var corrupt = _cache.Collect<long>("corrupt");
        Origin.Answers(Entries.Final(_clock.Now));
        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Seen(await ReadAsync(_cache)));
        Assert.Empty(corrupt.GetMeasurementSnapshot()); // what is not there is not corrupt

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Shared, null), Seen(await ReadAsync(_other)));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_other)));
        Assert.Equal(0, _other.Origin.Asked);
    }

    [Fact]
    public async Task An_interim_entry_is_shared_while_it_is_fresh()
    {
        Origin.Answers(Entries.Interim(_clock.Now));
        await ReadAsync(_cache);

        Assert.Equal(("interim", CacheStatus.Hit, CacheTier.Shared, null), Seen(await ReadAsync(_other)));
        _clock.Advance(TimeSpan.FromSeconds(2));
        _other.Origin.Answers(Entries.Interim(_clock.Now, "next"));
        Assert.Equal(("next", CacheStatus.Miss, CacheTier.None, null), Seen(await ReadAsync(_other)));
    }

    [Fact]
    public async Task The_lock_is_given_back_after_the_entry_was_written()
    {
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
        var done = _redis.Done;
        Assert.True(done.IndexOf("add lock") < done.IndexOf("set final"));
        Assert.True(done.IndexOf("set final") < done.IndexOf("remove lock"));
        Assert.DoesNotContain(_redis.Keys, key => key.EndsWith(":lock", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_lock_is_given_back_where_the_fetch_fails()
    {
        Origin.Fails(Fault);
        Assert.Same(Fault, (await ReadAsync(_cache)).Fault);

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
    }

    [Fact]
    public async Task The_lock_is_given_back_where_the_program_fails()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _cache.ReadAsync()); // the origin is not scripted

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
    }

    [Fact]
    public async Task The_lock_is_given_back_where_the_look_under_it_throws()
    {
        var locking = _redis.Hold("add", ":lock", replyOnly: true);
        var filling = _cache.FillAsync(_ => throw new InvalidOperationException("broken"));
        await locking.ReachedAsync();
        await _other.Cache.PutAsync(Entries.Final(_clock.Now), _other.Cache.Purges).Soon();

        locking.Release();

        await Assert.ThrowsAsync<InvalidOperationException>(() => filling);
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
    }

    [Fact]
    public async Task A_replica_waits_for_another_ones_fetch_and_takes_its_entry()
    {
        using var waits = _other.Collect<double>("lock.wait");
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.PassAsync(LockPauses[0]);
        await _clock.WaitedForAsync(LockPauses[1]);

        fetch.Release();
        await reading;
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
        _clock.Advance(LockPauses[1]);

        Assert.Equal(("final", CacheStatus.Collapsed, CacheTier.Shared, null), Seen(await waiting));
        Assert.Equal(0, _other.Origin.Asked);
        Assert.Equal(0.05, Assert.Single(waits.GetMeasurementSnapshot()).Value, 0.000_1);
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 2); // also the one that it did not need
    }

    [Fact]
    public async Task A_replica_finds_the_entry_while_the_lock_is_still_held()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.WaitedForAsync(LockPauses[0]);
        var release = _redis.Hold("remove", ":lock");
        fetch.Release();
        await reading;
        await release.ReachedAsync();

        _clock.Advance(LockPauses[0]);

        Assert.Equal(("final", CacheStatus.Collapsed, CacheTier.Shared, null), Seen(await waiting));
        release.Release();
    }

    [Fact]
    public async Task A_replica_that_waited_for_a_fetch_that_failed_fetches_itself()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.WaitedForAsync(LockPauses[0]);
        fetch.Fail(Fault);
        Assert.Same(Fault, (await reading).Fault);
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);

        _other.Origin.Answers(Entries.Final(_clock.Now, "fetched by the other"));
        _clock.Advance(LockPauses[0]);

        Assert.Equal(("fetched by the other", CacheStatus.Miss, CacheTier.None, null), Seen(await waiting));
    }

    [Fact]
    public async Task The_pauses_between_two_tries_to_get_the_lock_grow_up_to_120_milliseconds()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();

        foreach (var pause in LockPauses)
        {
            await _clock.PassAsync(pause);
        }

        await _clock.PassAsync(LockPauses[^1]);
        await _clock.WaitedForAsync(LockPauses[^1]);
        Assert.False(waiting.IsCompleted);
        fetch.Release();
    }

    [Fact]
    public async Task A_replica_whose_wait_outlasts_its_deadline_tells_so()
    {
        using var waits = _other.Collect<double>("lock.wait");
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();
        _other.Origin.Origin = _other.Origin.Origin with { Deadline = TimeSpan.FromSeconds(1) };

        var answer = await _clock.PassUntilAsync(_other.ReadAsync(), LockPauses);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None), (answer.Entry, answer.Status, answer.Level));
        Assert.Equal(UpstreamFault.TimedOut, answer.Fault!.Fault);
        Assert.NotEqual("", answer.Fault.Message);
        Assert.Single(waits.GetMeasurementSnapshot());
        fetch.Release();
    }

    [Fact]
    public async Task A_replica_whose_wait_outlasts_its_deadline_serves_a_stale_entry()
    {
        await BothHoldAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromSeconds(30)));
        _clock.Advance(TimeSpan.FromSeconds(30));
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();
        _other.Origin.Origin = _other.Origin.Origin with { Deadline = TimeSpan.FromSeconds(1) };

        var answer = await _clock.PassUntilAsync(_other.ReadAsync(), LockPauses);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory), (answer.Entry.Text(), answer.Status, answer.Level));
        Assert.Equal(UpstreamFault.TimedOut, answer.Fault!.Fault);
        fetch.Release();
    }

    [Fact]
    public async Task A_replica_that_waits_serves_its_stale_entry_after_a_while()
    {
        await BothHoldAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromSeconds(30)));
        _clock.Advance(TimeSpan.FromSeconds(30));
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "new"));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();

        var answer = await _clock.PassUntilAsync(_other.ReadAsync(), LockPauses);

        Assert.Equal(("old", CacheStatus.Stale), (answer.Entry.Text(), answer.Status));
        fetch.Release();
    }

    [Fact]
    public async Task Where_Redis_falls_silent_the_replica_known_to_fetch_is_given_the_life_of_its_lock()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.WaitedForAsync(LockPauses[0]); // it was told that the lock is held

        using var failing = _redis.Fail();
        _clock.Advance(LockPauses[0]);
        await _clock.WaitedForAsync(LockPauses[1]);
        Assert.Equal(0, _other.Origin.Asked);
        _other.Origin.Answers(Entries.Final(_clock.Now, "fetched by the other"));
        _clock.Advance(CacheUnderTest.LockLifetime - LockPauses[0]);

        Assert.Equal(("fetched by the other", CacheStatus.Miss, CacheTier.None, null), Seen(await waiting));
        fetch.Release();
    }

    [Fact]
    public async Task Where_Redis_cannot_say_whose_turn_it_is_the_replica_fetches_at_once()
    {
        using var waits = _cache.Collect<double>("lock.wait");
        using var failing = _redis.Fail("add", ":lock");
        Origin.Answers(Entries.Final(_clock.Now));

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Seen(await ReadAsync(_cache)));
        Assert.Equal(0, Assert.Single(waits.GetMeasurementSnapshot()).Value);
    }

    [Fact]
    public async Task A_lock_lost_in_mid_fetch_lets_another_replica_fetch_and_both_callers_get_answers()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "first"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();

        _redis.Lose(":lock");
        _other.Origin.Answers(Entries.Final(_clock.Now, "second"));
        var second = await ReadAsync(_other);
        fetch.Release();

        Assert.Equal("second", second.Entry.Text());
        Assert.Equal("first", (await reading).Entry.Text());
    }

    [Fact]
    public async Task An_interim_entry_fetched_under_a_lost_lock_does_not_replace_the_final_one_that_came_first()
    {
        var fetch = Origin.Holds(Entries.Interim(_clock.Now, "late"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        _redis.Lose(":lock");
        _other.Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_other);

        fetch.Release();
        await reading;

        await using var third = await CacheUnderTest.StartAsync(_clock, _redis);
        Assert.Equal("final", (await ReadAsync(third)).Entry.Text());
        Assert.Equal("final", (await ReadAsync(_other)).Entry.Text());
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("final", (await ReadAsync(_cache)).Entry.Text());
    }

    [Fact]
    public async Task A_lock_that_comes_after_it_was_given_up_is_given_back()
    {
        var late = _redis.Hold("add", ":lock");
        var reading = _cache.ReadAsync();
        await late.ReachedAsync();
        Origin.Answers(Entries.Final(_clock.Now));
        await _clock.PassUntilAsync(reading, CacheUnderTest.RedisTimeout);

        late.Release();

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
    }

    [Fact]
    public async Task A_fetch_begun_before_a_purge_of_another_replica_is_not_kept_where_word_of_it_was_lost()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "before"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        using (_redis.Fail("publish"))
        {
            Assert.True(await _other.Cache.PurgeAsync(Entries.Key).Soon());
        }

        fetch.Release();

        Assert.Equal("before", (await reading).Entry.Text());
        Assert.Null(_redis.Value(":final"));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task A_purge_after_the_write_removes_the_entry_and_its_message_keeps_it_out_of_memory()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "before"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var write = _redis.Hold("set", ":final", replyOnly: true);
        fetch.Release();
        await write.ReachedAsync();
        Assert.NotNull(_redis.Value(":final"));

        Assert.True(await _other.Cache.PurgeAsync(Entries.Key).Soon());
        write.Release();

        Assert.Equal("before", (await reading).Entry.Text());
        Assert.Null(_redis.Value(":final"));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task An_invalidated_fetch_does_not_write_to_Redis()
    {
        var fetch = Origin.Holds(Entries.Final(_clock.Now, "before"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _other.Cache.PurgeAsync(Entries.Key).Soon();

        fetch.Release();

        await reading;
        Assert.Equal(0, _redis.Count("set", ":final"));
    }

    [Fact]
    public async Task What_an_invalidated_fill_finds_late_does_not_remove_what_was_fetched_after_the_purge()
    {
        Origin.Answers(Entries.Final(_clock.Now, "before"));
        await ReadAsync(_cache);
        var look = _redis.Hold("get", ":final", replyOnly: true);
        var before = _other.ReadAsync();
        await look.ReachedAsync();
        await _cache.Cache.PurgeAsync(Entries.Key).Soon();
        _other.Origin.Answers(Entries.Final(_clock.Now, "after"));
        Assert.Equal("after", (await ReadAsync(_other)).Entry.Text());

        look.Release();

        Assert.Equal("before", (await before).Entry.Text());
        Assert.Equal("after", _other.Memory.Find(Entries.Key)?.Entry.Text());
    }

    [Fact]
    public async Task The_first_look_at_Redis_is_given_up_after_one_time_out()
    {
        var look = _redis.Hold("get", ":final");
        Origin.Answers(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await look.ReachedAsync();

        await _clock.PassAsync(CacheUnderTest.RedisTimeout);

        Assert.Equal("final", (await reading).Entry.Text());
    }

    [Fact]
    public async Task A_Redis_that_refuses_writes_is_left_alone_and_still_read()
    {
        using (_redis.Fail("set"))
        {
            for (var i = 1; i <= 2; i++)
            {
                await _cache.Redis.WriteAsync(Entries.Final(_clock.Now), null).Soon();
            }
        }

        Assert.False(_cache.RedisState.IsUsable);
        await _cache.Redis.WriteAsync(Entries.Final(_clock.Now), null).Soon();
        Assert.Equal(0, _redis.Count("set"));
        Assert.True((await _cache.Redis.ReadAsync(Entries.Key).Soon()).IsReached);
    }

    /// <summary>A purge at each moment of the keeping: before, between the two looks at the flight, and after.</summary>
    [Fact]
    public async Task A_purge_at_any_moment_of_the_keeping_keeps_the_entry_out()
    {
        var happenedWithin = 0;
        for (var read = 1; read <= 8; read++)
        {
            await using var cache = CacheUnderTest.Create(_clock);
            var fetch = cache.Origin.Holds(Entries.Final(_clock.Now));
            var reading = cache.ReadAsync();
            await fetch.ReachedAsync();
            var purged = Task.FromResult(false);
            _clock.AtRead(read, () => purged = cache.Cache.PurgeAsync(Entries.Key));
            fetch.Release();
            await reading;
            if (await purged)
            {
                happenedWithin++;
                Assert.Null(cache.Memory.Find(Entries.Key));
            }
        }

        Assert.InRange(happenedWithin, 2, 7);
    }

    [Fact]
    public async Task A_purge_at_any_moment_of_an_offer_keeps_the_entry_out()
    {
        var happenedWithin = 0;
        for (var read = 1; read <= 8; read++)
        {
            await using var cache = CacheUnderTest.Create(_clock);
            var purged = Task.FromResult(false);
            _clock.AtRead(read, () => purged = cache.Cache.PurgeAsync(Entries.Key));
            await cache.Cache.PutAsync(Entries.Final(_clock.Now), cache.Cache.Purges).Soon();
            if (await purged)
            {
                happenedWithin++;
                Assert.Null(cache.Memory.Find(Entries.Key));
            }
        }

        Assert.InRange(happenedWithin, 1, 7);
    }

    [Fact]
    public async Task A_purge_reaches_the_memory_of_every_replica()
    {
        await BothHoldAsync(Entries.Final(_clock.Now));

        Assert.True(await _cache.Cache.PurgeAsync(Entries.Key).Soon());

        Assert.Null(_cache.Memory.Find(Entries.Key));
        Assert.Null(_other.Memory.Find(Entries.Key));
        Assert.Null(_redis.Value(":final"));
    }

    [Fact]
    public async Task A_purge_that_Redis_does_not_confirm_is_done_here_and_in_the_other_replicas_and_says_so()
    {
        await BothHoldAsync(Entries.Final(_clock.Now));
        using var failing = _redis.Fail("purge", ":epoch");

        Assert.False(await _cache.Cache.PurgeAsync(Entries.Key).Soon());

        Assert.Null(_cache.Memory.Find(Entries.Key));
        Assert.Null(_other.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task A_purge_whose_word_was_lost_is_found_when_memory_is_no_longer_believed()
    {
        await BothHoldAsync(Entries.Final(_clock.Now, "old"));
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).Soon();
        }

        Assert.Equal("old", (await ReadAsync(_cache)).Entry.Text());
        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Origin.Answers(Entries.Final(_clock.Now, "new"));
        Assert.Equal(("new", CacheStatus.Miss, CacheTier.None, null), Seen(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task An_entry_whose_purge_was_missed_is_not_served_over_a_fault()
    {
        await BothHoldAsync(Entries.Final(_clock.Now, "old"));
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).Soon();
        }

        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Origin.Fails(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Seen(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task An_entry_fetched_after_a_purge_is_believed_though_the_invalidation_token_is_still_there()
    {
        await _cache.Cache.PurgeAsync(Entries.Key).Soon();
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        _redis.Lose(":final");

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task Memory_is_believed_for_its_lifetime_and_then_Redis_is_looked_at()
    {
        await BothHoldAsync(Entries.Final(_clock.Now));
        _clock.Advance(CacheUnderTest.MemoryLifetime - TimeSpan.FromTicks(1));
        Assert.Equal(CacheTier.Memory, (await ReadAsync(_cache)).Level);

        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Shared, null), Seen(await ReadAsync(_cache)));
        Assert.Equal(CacheTier.Memory, (await ReadAsync(_cache)).Level);
    }

    [Fact]
    public async Task What_Redis_lost_and_this_replica_did_not_is_written_back()
    {
        await BothHoldAsync(Entries.Final(_clock.Now));
        _redis.Lose(":final");
        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache)));

        Assert.NotNull(_redis.Value(":final"));
        Assert.Equal(1, Origin.Asked);
    }

    [Fact]
    public async Task Memory_is_believed_on_while_Redis_is_away_and_nothing_is_written()
    {
        await BothHoldAsync(Entries.Final(_clock.Now));
        _redis.ForgetDone();
        using (_redis.Fail("get"))
        {
            _clock.Advance(CacheUnderTest.MemoryLifetime);
            Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache)));
        }

        Assert.Empty(_redis.Done);
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache))); // for another lifetime
        Assert.Empty(_redis.Done);
    }

    [Fact]
    public async Task The_invalidation_token_is_remembered_while_Redis_is_away()
    {
        await _cache.Cache.PurgeAsync(Entries.Key).Soon();
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        using (_redis.Fail("get"))
        {
            _clock.Advance(CacheUnderTest.MemoryLifetime);
            await ReadAsync(_cache);
        }

        _redis.Lose(":final");
        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task A_newer_entry_in_memory_is_preferred_to_an_older_one_in_Redis_and_replaces_it()
    {
        await BothHoldAsync(Entries.Final(_clock.Now, "old"));
        _clock.Advance(TimeSpan.FromMinutes(1));
        using (_redis.Fail("set"))
        {
            Origin.Answers(Entries.Final(_clock.Now, "new"));
            await _cache.RenewAsync(_cache.Memory.Find(Entries.Key)!.Entry);
        }

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("new", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache)));
        await using var third = await CacheUnderTest.StartAsync(_clock, _redis);
        Assert.Equal("new", (await ReadAsync(third)).Entry.Text());
    }

    [Fact]
    public async Task A_stale_entry_in_Redis_is_served_over_a_fault_by_a_replica_that_never_saw_it()
    {
        Origin.Answers(Entries.Final(_clock.Now, "old"));
        await ReadAsync(_cache);
        _clock.Advance(TimeSpan.FromHours(1));
        _other.Origin.Fails(Fault);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Seen(await ReadAsync(_other)));
        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Seen(await ReadAsync(_other)));
        Assert.Equal(1, _other.Origin.Asked);
    }

    [Fact]
    public async Task A_refresh_ahead_is_not_content_with_what_it_is_to_refresh()
    {
        await BothHoldAsync(Entries.Final(_clock.Now, "old"));
        _clock.Advance(TimeSpan.FromMinutes(59));
        await _cache.Cache.FindAsync(Entries.Key); // memory believes Redis for another lifetime
        Origin.Answers(Entries.Final(_clock.Now, "new"));

        await ReadAsync(_cache);

        Assert.Equal("new", (await ReadAsync(_cache)).Entry.Text());
        Assert.Equal(2, Origin.Asked);
    }

    [Fact]
    public async Task A_renewal_takes_what_another_replica_renewed()
    {
        var outdated = Entries.Final(_clock.Now, "outdated");
        await BothHoldAsync(outdated);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Answers(Entries.Final(_clock.Now, "renewed"));
        await _cache.RenewAsync(outdated);

        Assert.Equal(("renewed", CacheStatus.Hit, CacheTier.Shared, null), Seen(await _other.RenewAsync(outdated)));
        Assert.Equal(0, _other.Origin.Asked);
    }

    [Fact]
    public async Task A_renewal_that_joined_a_flight_content_with_the_outdated_entry_asks_once_more()
    {
        var outdated = Entries.Final(_clock.Now, "outdated");
        Origin.Answers(outdated);
        await ReadAsync(_cache);
        var look = _redis.Hold("get", ":final");
        var reading = _other.ReadAsync();
        await look.ReachedAsync();
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        _other.Origin.Answers(Entries.Final(_clock.Now, "renewed"));
        var renewing = _other.RenewAsync(outdated);

        look.Release();

        Assert.Equal("outdated", (await reading).Entry.Text());
        Assert.Equal(("renewed", CacheStatus.Miss, CacheTier.None, null), Seen(await renewing));
    }

    [Fact]
    public async Task An_entry_no_longer_fresh_when_a_slow_Redis_gave_it_is_fetched_anew()
    {
        Origin.Answers(Entries.Interim(_clock.Now, "old"));
        await ReadAsync(_cache);
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        var look = _redis.Hold("get", ":brief");
        var reading = _other.ReadAsync();
        await look.ReachedAsync();
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        _other.Origin.Answers(Entries.Interim(_clock.Now, "new"));

        look.Release();

        Assert.Equal("new", (await reading).Entry.Text());
    }

    [Fact]
    public async Task A_look_with_the_lock_in_hand_waits_longer_than_the_first_one()
    {
        Origin.Answers(Entries.Final(_clock.Now));
        var first = _redis.Hold("get", ":epoch");
        var reading = _other.ReadAsync();
        await first.ReachedAsync();
        await ReadAsync(_cache);
        var second = _redis.Hold("get", ":epoch");
        first.Release();
        if (second.IsReached)
        {
            await _clock.PassAsync(CacheUnderTest.RedisTimeout);
            second.Release();
        }

        Assert.Equal("final", (await reading).Entry.Text());
        Assert.Equal(0, _other.Origin.Asked);
    }

    [Theory]
    [InlineData("get", "", false)]
    [InlineData("get", ":epoch", false)]
    [InlineData("add", ":lock", false)]
    [InlineData("add", ":lock", true)]
    [InlineData("set", "", false)]
    [InlineData("set", "", true)]
    [InlineData("remove", "", false)]
    [InlineData("", "", false)]
    public async Task Callers_get_answers_whatever_step_of_Redis_fails(string command, string part, bool replyOnly)
    {
        using var failing = _redis.Fail(command, part, replyOnly);
        Origin.Answers(Entries.Final(_clock.Now));

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Seen(await _cache.ReadAsync()));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
    }

    [Theory]
    [InlineData("get", "")]
    [InlineData("get", ":epoch")]
    [InlineData("add", ":lock")]
    [InlineData("set", "")]
    [InlineData("remove", "")]
    [InlineData("", "")]
    public async Task Callers_get_answers_whatever_step_of_Redis_hangs(string command, string part)
    {
        using var silent = _redis.Silence(command, part);
        Origin.Answers(Entries.Final(_clock.Now));

        var answer = await _clock.PassUntilAsync(_cache.ReadAsync(), CacheUnderTest.RedisTimeout);

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Seen(answer));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await _cache.ReadAsync()));
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("garbage")]
    [InlineData("another subject's")]
    [InlineData("empty")]
    public async Task Corrupt_bytes_are_a_miss_that_is_counted_and_overwritten(string how)
    {
        using var corrupt = _other.Collect<long>("corrupt");
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        var right = _redis.Value(":final")!;
        _redis.Overwrite(":final", how switch
        {
            "truncated" => right[..^3],
            "garbage" => [.. Enumerable.Repeat((byte)7, 100)],
            "empty" => [],
            _ => CacheEntryFormat.Write(Entries.Final(_clock.Now, key: new CacheKey("g2"))),
        });

        _other.Origin.Answers(Entries.Final(_clock.Now));
        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Seen(await ReadAsync(_other)));

        Assert.Equal(right, _redis.Value(":final"));
        Assert.NotEmpty(corrupt.GetMeasurementSnapshot());
    }

    [Fact]
    public async Task A_value_of_another_type_is_removed_and_counted()
    {
        using var corrupt = _cache.Collect<long>("corrupt");
        using (_redis.Fail("get", ":final", exception: new RedisServerException(RedisErrorKind.WrongType, CommandFlags.None, "WRONGTYPE Operation against a key")))
        {
            Origin.Answers(Entries.Final(_clock.Now));
            await ReadAsync(_cache);
        }

        Assert.NotEmpty(corrupt.GetMeasurementSnapshot());
        Assert.NotEqual(0, _redis.Count("remove", ":final"));
        Assert.Equal(CacheTier.Shared, (await ReadAsync(_other)).Level);
    }

    [Fact]
    public async Task Another_error_of_Redis_removes_nothing()
    {
        using var corrupt = _cache.Collect<long>("corrupt");
        using var failing = _redis.Fail("get", ":final", exception: new RedisServerException(RedisErrorKind.Loading, CommandFlags.None, "LOADING Redis is loading"));
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);

        Assert.Empty(corrupt.GetMeasurementSnapshot());
        Assert.Equal(0, _redis.Count("remove", ":final"));
    }

    [Fact]
    public async Task What_another_replica_fetched_is_found_and_a_final_one_is_kept()
    {
        Origin.Answers(Entries.Interim(_clock.Now));
        await ReadAsync(_cache);
        Assert.Equal("interim", (await FindAsync(_other)).Text());
        Assert.Null(_other.Memory.Find(Entries.Key));

        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await FindAsync(_other));
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        Assert.Equal("final", (await FindAsync(_other)).Text());
        Assert.Equal("final", _other.Memory.Find(Entries.Key)?.Entry.Text());

        _redis.ForgetDone();
        Assert.Equal("final", (await FindAsync(_other)).Text());
        Assert.Empty(_redis.Done); // from memory
    }

    [Fact]
    public async Task What_is_found_is_not_kept_where_the_key_was_purged_meanwhile()
    {
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        var look = _redis.Hold("get", ":final", replyOnly: true);
        var finding = FindAsync(_other);
        await look.ReachedAsync();
        await _cache.Cache.PurgeAsync(Entries.Key).Soon();

        look.Release();

        Assert.Equal("final", (await finding).Text()); // as it was when it was asked for
        Assert.Null(_other.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task What_is_found_remembers_the_invalidation_token()
    {
        await _cache.Cache.PurgeAsync(Entries.Key).Soon();
        Origin.Answers(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        await FindAsync(_other);
        _redis.Lose(":final");

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_other)));
    }

    [Fact]
    public async Task An_offered_entry_is_shared_and_believed_for_the_memory_lifetime()
    {
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).Soon();

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Shared, null), Seen(await ReadAsync(_other)));
        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache)));
        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Assert.Equal(CacheTier.Shared, (await ReadAsync(_cache)).Level);
    }

    [Fact]
    public async Task An_offered_entry_gives_way_to_the_one_in_Redis()
    {
        Origin.Answers(Entries.Final(_clock.Now, "in Redis"));
        await ReadAsync(_cache);

        await _other.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _other.Cache.Purges).Soon();

        Assert.Equal("in Redis", (await ReadAsync(_other)).Entry.Text());
        Assert.Equal(1, _redis.Count("set", ":final"));
    }

    [Fact]
    public async Task An_offered_entry_is_dropped_where_the_key_was_purged_lately()
    {
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).Soon();
        }

        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).Soon();

        Assert.Null(_cache.Memory.Find(Entries.Key));
        Assert.Null(_redis.Value(":final"));
    }

    [Fact]
    public async Task An_offered_entry_whose_write_is_refused_is_dropped()
    {
        var look = _redis.Hold("get", ":epoch", replyOnly: true);
        var offering = _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges);
        await look.ReachedAsync();
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).Soon();
        }

        look.Release();
        await offering.Soon();

        Assert.Null(_redis.Value(":final"));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task An_offered_entry_is_kept_in_memory_where_Redis_is_away()
    {
        using var failing = _redis.Fail();

        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).Soon();

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Seen(await ReadAsync(_cache)));
    }

    private static (string? Body, CacheStatus Status, CacheTier Level, UpstreamException? Fault) Seen(CacheResult answer) =>
        (answer.Entry.Text(), answer.Status, answer.Level, answer.Fault);

    /// <summary>Reads, and waits until the replica has given its lock back, which callers do not wait for.</summary>
    private async Task<CacheResult> ReadAsync(CacheUnderTest cache)
    {
        var answer = await cache.ReadAsync();
        await Eventually.TrueAsync(() => !_redis.Keys.Any(key => key.EndsWith(":lock", StringComparison.Ordinal)));
        return answer;
    }

    private static Task<CacheEntry?> FindAsync(CacheUnderTest cache) => cache.Cache.FindAsync(Entries.Key).AsTask().Soon();

    /// <summary>Has one replica fetch an entry and the other find it.</summary>
    private async Task BothHoldAsync(CacheEntry entry)
    {
        Origin.Answers(entry);
        await ReadAsync(_cache);
        await ReadAsync(_other);
    }
}
