using System.Globalization;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;
using StackExchange.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>Fills from memory, Redis and the origin, with one replica and with two. Redis is a fake. Needs nothing.</summary>
public sealed class CacheFillTests : IAsyncLifetime
{
    private static readonly UpstreamException Fault = new(UpstreamFault.Unreachable, "The origin is unreachable.");

    /// <summary>The pauses between two attempts to acquire the lock.</summary>
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
        _redis.ClearCommands();
    }

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task A_replica_finds_the_entry_of_another_replica_in_Redis()
    {
        using var corrupt = _cache.Collect<long>("corrupt");
        Origin.Returns(Entries.Final(_clock.Now));
        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_cache)));
        Assert.Empty(corrupt.GetMeasurementSnapshot()); // a missing value is not corrupt

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Redis, null), Summary(await ReadAsync(_other)));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_other)));
        Assert.Equal(0, _other.Origin.RequestCount);
    }

    [Fact]
    public async Task An_interim_entry_is_shared_while_it_is_fresh()
    {
        Origin.Returns(Entries.Interim(_clock.Now));
        await ReadAsync(_cache);

        Assert.Equal(("interim", CacheStatus.Hit, CacheTier.Redis, null), Summary(await ReadAsync(_other)));
        _clock.Advance(TimeSpan.FromSeconds(2));
        _other.Origin.Returns(Entries.Interim(_clock.Now, "next"));
        Assert.Equal(("next", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_other)));
    }

    [Fact]
    public async Task The_lock_is_released_after_the_entry_is_written()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
        var commands = _redis.Commands;
        Assert.True(commands.IndexOf("add lock") < commands.IndexOf("set final"));
        Assert.True(commands.IndexOf("set final") < commands.IndexOf("remove lock"));
        Assert.DoesNotContain(_redis.Keys, key => key.EndsWith(":lock", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_lock_is_released_if_the_fetch_fails()
    {
        Origin.Fails(Fault);
        Assert.Same(Fault, (await ReadAsync(_cache)).Fault);

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
    }

    [Fact]
    public async Task The_lock_is_released_if_the_fetch_throws_an_unexpected_exception()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _cache.ReadAsync()); // the origin is not scripted

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
    }

    [Fact]
    public async Task The_lock_is_released_if_the_lookup_after_it_throws()
    {
        var locking = _redis.Hold("add", ":lock", replyOnly: true);
        var filling = _cache.FillAsync(_ => throw new InvalidOperationException("broken"));
        await locking.ReachedAsync();
        await _other.Cache.PutAsync(Entries.Final(_clock.Now), _other.Cache.Purges).WithTimeout();

        locking.Release();

        await Assert.ThrowsAsync<InvalidOperationException>(() => filling);
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
    }

    [Fact]
    public async Task A_replica_waits_for_the_fetch_of_another_replica_and_uses_its_entry()
    {
        using var waits = _other.Collect<double>("lock.wait");
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.PassAsync(LockPauses[0]);
        await _clock.WaitedForAsync(LockPauses[1]);

        fetch.Release();
        await reading;
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);
        _clock.Advance(LockPauses[1]);

        Assert.Equal(("final", CacheStatus.Collapsed, CacheTier.Redis, null), Summary(await waiting));
        Assert.Equal(0, _other.Origin.RequestCount);
        Assert.Equal(0.05, Assert.Single(waits.GetMeasurementSnapshot()).Value, 0.000_1);
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 2); // the second lock was acquired after the wait
    }

    [Fact]
    public async Task A_replica_finds_the_entry_while_the_lock_is_still_held()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.WaitedForAsync(LockPauses[0]);
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "from a list"), _cache.Cache.Purges).WithTimeout();

        _clock.Advance(LockPauses[0]);

        Assert.Equal(("from a list", CacheStatus.Collapsed, CacheTier.Redis, null), Summary(await waiting));
        fetch.Release();
        await reading;
    }

    [Fact]
    public async Task A_hit_in_Redis_is_one_command()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        _redis.ClearCommands();

        Assert.Equal(CacheTier.Redis, (await ReadAsync(_other)).Tier);

        Assert.Equal(["add lock"], _redis.Commands); // reads, because there is a final entry
        Assert.Null(_redis.Value(":lock"));
    }

    [Fact]
    public async Task A_miss_is_two_commands_the_last_of_which_releases_the_lock()
    {
        Origin.Returns(Entries.Final(_clock.Now));

        Assert.Equal(CacheStatus.Miss, (await _cache.ReadAsync()).Status);

        Assert.Equal(["add lock", "set final", "remove lock"], _redis.Commands); // one script sets and removes
    }

    [Fact]
    public async Task The_lock_is_renewed_until_the_fetch_ends()
    {
        var third = CacheUnderTest.LockLifetime / 3;
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1)));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();

        for (var renewals = 1; renewals <= 4; renewals++)
        {
            _clock.Advance(third);
            await Eventually.TrueAsync(() => _redis.Count("extend", ":lock") == renewals);
            Assert.Equal(CacheUnderTest.LockLifetime, _redis.LifeOf(":lock"));
        }

        fetch.Release();
        await reading;
        _clock.Advance(third);
        _clock.Advance(third);
        Assert.Equal(4, _redis.Count("extend", ":lock"));
    }

    [Fact]
    public async Task Each_lock_is_renewed_until_its_own_fetch_ends()
    {
        var third = CacheUnderTest.LockLifetime / 3;
        var first = Origin.HoldNext(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await first.ReachedAsync();
        var other = GenerationId.Parse("other", null);
        var second = Origin.HoldNext(Entries.Final(_clock.Now, key: other));
        var readingOther = _cache.ReadAsync(other);
        await second.ReachedAsync();

        _clock.Advance(third);
        await Eventually.TrueAsync(() => _redis.Count("extend", ":lock") == 2);

        first.Release();
        await reading;
        _clock.Advance(third);
        await Eventually.TrueAsync(() => _redis.Count("extend", ":lock") == 3);
        second.Release();
        await readingOther;
    }

    [Fact]
    public async Task Misses_at_the_same_time_share_their_timers()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await _cache.ReadAsync();
        var started = _clock.Started;

        for (var i = 0; i < 10; i++)
        {
            var key = GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"other-{i}"), null);
            Origin.Returns(Entries.Final(_clock.Now, key: key));
            Assert.Equal(CacheStatus.Miss, (await _cache.ReadAsync(key)).Status);
        }

        Assert.InRange(_clock.Started - started, 0, 3); // a step in Redis, an attempt and a renewal may be the first of their kind that waits
    }

    [Fact]
    public async Task An_entry_found_in_Redis_has_the_invalidation_token_of_its_write()
    {
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);

        await ReadAsync(_other);

        Assert.NotNull(_other.Memory.Find(Entries.Key)!.InvalidationToken);
        Assert.Equal(_redis.Value(":token"), Encoding.UTF8.GetBytes(_other.Memory.Find(Entries.Key)!.InvalidationToken!));
    }

    [Fact]
    public async Task A_replica_fetches_if_the_fetch_that_it_waited_for_failed()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.WaitedForAsync(LockPauses[0]);
        fetch.Fail(Fault);
        Assert.Same(Fault, (await reading).Fault);
        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 1);

        _other.Origin.Returns(Entries.Final(_clock.Now, "fetched by the other"));
        _clock.Advance(LockPauses[0]);

        Assert.Equal(("fetched by the other", CacheStatus.Miss, CacheTier.None, null), Summary(await waiting));
    }

    [Fact]
    public async Task The_pauses_between_attempts_to_acquire_the_lock_grow_up_to_120_milliseconds()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
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
    public async Task A_wait_for_the_lock_beyond_the_deadline_is_a_time_out_fault()
    {
        using var waits = _other.Collect<double>("lock.wait");
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();
        _other.Origin.Deadline = TimeSpan.FromSeconds(1);

        var result = await _clock.PassUntilAsync(_other.ReadAsync(), LockPauses);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None), (result.Entry, result.Status, result.Tier));
        Assert.Equal(UpstreamFault.TimedOut, result.Fault!.Fault);
        Assert.NotEqual("", result.Fault.Message);
        Assert.Single(waits.GetMeasurementSnapshot());
        fetch.Release();
    }

    [Fact]
    public async Task A_wait_for_the_lock_beyond_the_deadline_serves_a_stale_entry()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromSeconds(30)));
        _clock.Advance(TimeSpan.FromSeconds(30));
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();
        _other.Origin.Deadline = TimeSpan.FromSeconds(1);

        var result = await _clock.PassUntilAsync(_other.ReadAsync(), LockPauses);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory), (result.Entry.Text(), result.Status, result.Tier));
        Assert.Equal(UpstreamFault.TimedOut, result.Fault!.Fault);
        fetch.Release();
    }

    [Fact]
    public async Task A_replica_that_waits_for_the_lock_serves_its_stale_entry_after_StaleIfErrorAfter()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromSeconds(30)));
        _clock.Advance(TimeSpan.FromSeconds(30));
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "new"));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();

        var result = await _clock.PassUntilAsync(_other.ReadAsync(), LockPauses);

        Assert.Equal(("old", CacheStatus.Stale), (result.Entry.Text(), result.Status));
        fetch.Release();
    }

    [Fact]
    public async Task If_Redis_fails_during_the_wait_for_the_lock_the_replica_waits_for_the_lifetime_of_the_lock()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now));
        _ = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var waiting = _other.ReadAsync();
        await _clock.WaitedForAsync(LockPauses[0]); // the replica knows that the lock is held

        using var failing = _redis.Fail();
        _clock.Advance(LockPauses[0]);
        await _clock.WaitedForAsync(LockPauses[1]);
        Assert.Equal(0, _other.Origin.RequestCount);
        _other.Origin.Returns(Entries.Final(_clock.Now, "fetched by the other"));
        _clock.Advance(CacheUnderTest.LockLifetime - LockPauses[0]);

        Assert.Equal(("fetched by the other", CacheStatus.Miss, CacheTier.None, null), Summary(await waiting));
        fetch.Release();
    }

    [Fact]
    public async Task If_Redis_fails_before_the_lock_is_acquired_the_replica_fetches_at_once()
    {
        using var waits = _cache.Collect<double>("lock.wait");
        using var failing = _redis.Fail("add", ":lock");
        Origin.Returns(Entries.Final(_clock.Now));

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_cache)));
        Assert.Equal(0, Assert.Single(waits.GetMeasurementSnapshot()).Value);
    }

    [Fact]
    public async Task If_the_lock_is_lost_during_a_fetch_another_replica_fetches_and_both_callers_get_an_entry()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "first"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();

        _redis.Lose(":lock");
        _other.Origin.Returns(Entries.Final(_clock.Now, "second"));
        var second = await ReadAsync(_other);
        fetch.Release();

        Assert.Equal("second", second.Entry.Text());
        Assert.Equal("first", (await reading).Entry.Text());
    }

    [Fact]
    public async Task An_interim_entry_fetched_under_a_lost_lock_does_not_replace_a_final_entry()
    {
        var fetch = Origin.HoldNext(Entries.Interim(_clock.Now, "late"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        _redis.Lose(":lock");
        _other.Origin.Returns(Entries.Final(_clock.Now));
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
    public async Task A_lock_acquired_after_the_time_out_is_released()
    {
        var late = _redis.Hold("add", ":lock");
        var reading = _cache.ReadAsync();
        await late.ReachedAsync();
        Origin.Returns(Entries.Interim(_clock.Now)); // with a final entry in Redis, the lock would not be acquired
        await _clock.PassUntilAsync(reading, CacheUnderTest.RedisTimeout);

        late.Release();

        await Eventually.TrueAsync(() => _redis.Count("remove", ":lock") == 2); // the fetch has acquired and released the lock before
        Assert.Null(_redis.Value(":lock"));
    }

    [Fact]
    public async Task A_fetch_started_before_a_purge_of_another_replica_is_not_stored_even_if_the_message_was_lost()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "before"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        using (_redis.Fail("publish"))
        {
            Assert.True(await _other.Cache.PurgeAsync(Entries.Key).WithTimeout());
        }

        fetch.Release();

        Assert.Equal("before", (await reading).Entry.Text());
        Assert.Null(_redis.Value(":final"));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task A_purge_after_the_write_removes_the_entry_from_Redis_and_its_message_keeps_it_out_of_memory()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "before"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        var write = _redis.Hold("set", ":final", replyOnly: true);
        fetch.Release();
        await write.ReachedAsync();
        Assert.NotNull(_redis.Value(":final"));

        Assert.True(await _other.Cache.PurgeAsync(Entries.Key).WithTimeout());
        write.Release();

        Assert.Equal("before", (await reading).Entry.Text());
        Assert.Null(_redis.Value(":final"));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task An_invalidated_fetch_does_not_write_to_Redis()
    {
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "before"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();

        fetch.Release();

        await reading;
        Assert.Equal(0, _redis.Count("set", ":final"));
    }

    [Fact]
    public async Task An_invalidated_fill_does_not_remove_an_entry_fetched_after_the_purge()
    {
        Origin.Returns(Entries.Final(_clock.Now, "before"));
        await ReadAsync(_cache);
        var lookup = _redis.Hold("add", ":lock", replyOnly: true);
        var before = _other.ReadAsync();
        await lookup.ReachedAsync();
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();
        _other.Origin.Returns(Entries.Final(_clock.Now, "after"));
        Assert.Equal("after", (await ReadAsync(_other)).Entry.Text());

        lookup.Release();

        Assert.Equal("before", (await before).Entry.Text());
        Assert.Equal("after", _other.Memory.Find(Entries.Key)?.Entry.Text());
    }

    [Fact]
    public async Task A_Redis_that_refuses_writes_is_not_written_to_but_still_read()
    {
        using (_redis.Fail("set"))
        {
            for (var i = 1; i <= 2; i++)
            {
                await _cache.Redis.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout();
            }
        }

        Assert.False(_cache.RedisState.IsUsable);
        await _cache.Redis.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout();
        Assert.Equal(0, _redis.Count("set"));
        Assert.True((await _cache.Redis.ReadAsync(Entries.Key).WithTimeout()).IsReached);
    }

    /// <summary>A purge at each read of the clock: before the entry is stored, between the two checks of the fetch, and after it is stored.</summary>
    [Fact]
    public async Task A_purge_at_any_moment_of_the_storing_keeps_the_entry_out_of_memory()
    {
        var purgedInTime = 0;
        for (var read = 1; read <= 8; read++)
        {
            await using var cache = CacheUnderTest.Create(_clock);
            var fetch = cache.Origin.HoldNext(Entries.Final(_clock.Now));
            var reading = cache.ReadAsync();
            await fetch.ReachedAsync();
            var purged = Task.FromResult(false);
            _clock.AtRead(read, () => purged = cache.Cache.PurgeAsync(Entries.Key));
            fetch.Release();
            await reading;
            if (await purged)
            {
                purgedInTime++;
                Assert.Null(cache.Memory.Find(Entries.Key));
            }
        }

        Assert.InRange(purgedInTime, 2, 7);
    }

    [Fact]
    public async Task A_purge_at_any_moment_of_PutAsync_keeps_the_entry_out_of_memory()
    {
        var purgedInTime = 0;
        for (var read = 1; read <= 8; read++)
        {
            await using var cache = CacheUnderTest.Create(_clock);
            var purged = Task.FromResult(false);
            _clock.AtRead(read, () => purged = cache.Cache.PurgeAsync(Entries.Key));
            await cache.Cache.PutAsync(Entries.Final(_clock.Now), cache.Cache.Purges).WithTimeout();
            if (await purged)
            {
                purgedInTime++;
                Assert.Null(cache.Memory.Find(Entries.Key));
            }
        }

        Assert.InRange(purgedInTime, 1, 7);
    }

    [Fact]
    public async Task A_purge_reaches_the_memory_of_every_replica()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now));

        Assert.True(await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout());

        Assert.Null(_cache.Memory.Find(Entries.Key));
        Assert.Null(_other.Memory.Find(Entries.Key));
        Assert.Null(_redis.Value(":final"));
    }

    [Fact]
    public async Task A_purge_that_Redis_does_not_confirm_returns_false_and_empties_the_memory_of_all_replicas()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now));
        using var failing = _redis.Fail("purge", ":token");

        Assert.False(await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout());

        Assert.Null(_cache.Memory.Find(Entries.Key));
        Assert.Null(_other.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task A_purge_whose_message_was_lost_takes_effect_after_the_memory_lifetime()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old"));
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        Assert.Equal("old", (await ReadAsync(_cache)).Entry.Text());
        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Origin.Returns(Entries.Final(_clock.Now, "new"));
        Assert.Equal(("new", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task A_lost_purge_message_is_found_after_MemoryLifetime_even_if_the_clock_was_ahead_when_the_entry_was_stored()
    {
        _clock.Ahead = TimeSpan.FromSeconds(90);
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromDays(1)));
        _clock.Ahead = TimeSpan.Zero;
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Origin.Returns(Entries.Final(_clock.Now, "new"));

        Assert.Equal(("new", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task An_entry_that_was_not_verified_while_a_token_lives_is_neither_served_nor_written_again()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromDays(1)));
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        _clock.Advance(TimeSpan.FromMinutes(10)); // the invalidation token has expired
        Assert.Null(_redis.Value(":token"));
        Origin.Returns(Entries.Final(_clock.Now, "new"));

        Assert.Equal(("new", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task A_purge_that_Redis_did_not_confirm_is_repeated_until_Redis_confirms_it()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromDays(1)));
        var confirmed = new TaskCompletionSource();
        _cache.Redis.PurgeConfirmed += _ => confirmed.TrySetResult();
        using (_redis.Fail("purge"))
        {
            Assert.False(await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout());
        }

        Assert.NotNull(_redis.Value(":final"));
        await _clock.PassUntilAsync(confirmed.Task, TimeSpan.FromSeconds(1));

        Assert.Null(_redis.Value(":final"));
    }

    [Fact]
    public async Task A_purge_missed_without_a_subscription_takes_effect_when_messages_arrive_again()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromDays(1)));
        _cache.RedisState.StopReceiving();
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        Assert.Equal(("old", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _cache.RedisState.StartReceiving();
        Origin.Returns(Entries.Final(_clock.Now, "new"));

        Assert.Equal(("new", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task An_entry_whose_purge_message_was_lost_is_not_served_stale()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old"));
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Origin.Fails(Fault);

        Assert.Equal((null, CacheStatus.Miss, CacheTier.None, Fault), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task An_entry_fetched_after_a_purge_is_valid_while_the_invalidation_token_still_exists()
    {
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        _redis.Lose(":final");

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task An_entry_in_memory_is_verified_in_Redis_after_the_memory_lifetime()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now));
        _clock.Advance(CacheUnderTest.MemoryLifetime - TimeSpan.FromTicks(1));
        Assert.Equal(CacheTier.Memory, (await ReadAsync(_cache)).Tier);

        _clock.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Redis, null), Summary(await ReadAsync(_cache)));
        Assert.Equal(CacheTier.Memory, (await ReadAsync(_cache)).Tier);
    }

    [Fact]
    public async Task An_entry_lost_by_Redis_is_written_again_from_memory()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now));
        _redis.Lose(":final");
        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));

        Assert.NotNull(_redis.Value(":final"));
        Assert.Equal(1, Origin.RequestCount);
    }

    [Fact]
    public async Task While_Redis_is_unavailable_an_entry_in_memory_stays_valid_and_nothing_is_written()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now));
        _redis.ClearCommands();
        using (_redis.Fail("add"))
        using (_redis.Fail("get"))
        {
            _clock.Advance(CacheUnderTest.MemoryLifetime);
            Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));
        }

        Assert.Empty(_redis.Commands);
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache))); // for another lifetime
        Assert.Empty(_redis.Commands);
    }

    [Fact]
    public async Task The_invalidation_token_stays_in_memory_while_Redis_is_unavailable()
    {
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        using (_redis.Fail("add"))
        using (_redis.Fail("get"))
        {
            _clock.Advance(CacheUnderTest.MemoryLifetime);
            await ReadAsync(_cache);
        }

        _redis.Lose(":final");
        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task A_newer_entry_in_memory_replaces_an_older_one_in_Redis()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old"));
        _clock.Advance(TimeSpan.FromMinutes(1));
        using (_redis.Fail("set"))
        {
            Origin.Returns(Entries.Final(_clock.Now, "new"));
            await _cache.RenewAsync(_cache.Memory.Find(Entries.Key)!.Entry);
        }

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("new", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));
        await using var third = await CacheUnderTest.StartAsync(_clock, _redis);
        Assert.Equal("new", (await ReadAsync(third)).Entry.Text());
    }

    [Fact]
    public async Task A_stale_entry_in_Redis_is_served_over_a_fault_by_a_replica_without_it_in_memory()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old"));
        await ReadAsync(_cache);
        _clock.Advance(TimeSpan.FromHours(1));
        _other.Origin.Fails(Fault);

        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Summary(await ReadAsync(_other)));
        Assert.Equal(("old", CacheStatus.Stale, CacheTier.Memory, Fault), Summary(await ReadAsync(_other)));
        Assert.Equal(1, _other.Origin.RequestCount);
    }

    [Fact]
    public async Task A_refresh_ahead_does_not_end_with_the_entry_that_it_must_replace()
    {
        await StoreOnBothReplicasAsync(Entries.Final(_clock.Now, "old"));
        _clock.Advance(TimeSpan.FromMinutes(59));
        await _cache.Cache.FindAsync(Entries.Key); // the entry in memory counts as verified for another lifetime
        Origin.Returns(Entries.Final(_clock.Now, "new"));

        await ReadAsync(_cache);

        Assert.Equal("new", (await ReadAsync(_cache)).Entry.Text());
        Assert.Equal(2, Origin.RequestCount);
    }

    [Fact]
    public async Task A_renewal_uses_the_entry_that_another_replica_renewed()
    {
        var outdated = Entries.Final(_clock.Now, "outdated");
        await StoreOnBothReplicasAsync(outdated);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Origin.Returns(Entries.Final(_clock.Now, "renewed"));
        await _cache.RenewAsync(outdated);

        Assert.Equal(("renewed", CacheStatus.Hit, CacheTier.Redis, null), Summary(await _other.RenewAsync(outdated)));
        Assert.Equal(0, _other.Origin.RequestCount);
    }

    [Fact]
    public async Task A_renewal_that_joined_a_fetch_with_the_outdated_entry_fetches_again()
    {
        var outdated = Entries.Final(_clock.Now, "outdated");
        Origin.Returns(outdated);
        await ReadAsync(_cache);
        var lookup = _redis.Hold("add", ":lock");
        var reading = _other.ReadAsync();
        await lookup.ReachedAsync();
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        _other.Origin.Returns(Entries.Final(_clock.Now, "renewed"));
        var renewing = _other.RenewAsync(outdated);

        lookup.Release();

        Assert.Equal("outdated", (await reading).Entry.Text());
        Assert.Equal(("renewed", CacheStatus.Miss, CacheTier.None, null), Summary(await renewing));
    }

    [Fact]
    public async Task An_entry_that_expires_during_a_slow_read_from_Redis_is_fetched_again()
    {
        Origin.Returns(Entries.Interim(_clock.Now, "old"));
        await ReadAsync(_cache);
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        var lookup = _redis.Hold("add", ":lock", replyOnly: true);
        var reading = _other.ReadAsync();
        await lookup.ReachedAsync();
        _clock.Advance(TimeSpan.FromSeconds(0.1));
        _other.Origin.Returns(Entries.Interim(_clock.Now, "new"));

        lookup.Release();

        Assert.Equal("new", (await reading).Entry.Text());
    }

    [Fact]
    public async Task The_first_lookup_in_Redis_ends_after_one_time_out_and_the_next_waits_longer()
    {
        var first = _redis.Hold("add", ":lock");
        var reading = _other.ReadAsync();
        await first.ReachedAsync();
        var second = _redis.Hold("add", ":lock");
        await _clock.PassAsync(CacheUnderTest.RedisTimeout);
        await second.ReachedAsync();
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        await _clock.PassAsync(CacheUnderTest.RedisTimeout);

        second.Release();

        Assert.Equal("final", (await reading).Entry.Text());
        Assert.Equal(0, _other.Origin.RequestCount);
        first.Release();
    }

    [Fact]
    public async Task Redis_is_read_again_before_a_fault_is_returned_if_it_did_not_respond()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        using var failing = _redis.Fail("add");
        var failingRead = _redis.Fail("get");
        var fetch = _other.Origin.HoldNext(null);
        var reading = _other.ReadAsync();
        await fetch.ReachedAsync();

        failingRead.Dispose();
        fetch.Release();

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Redis, null), Summary(await reading));
    }

    [Fact]
    public async Task A_Redis_that_refuses_the_lock_is_read_without_it()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        using var failing = _redis.Fail("add");

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Redis, null), Summary(await ReadAsync(_other)));
        Assert.Equal(0, _other.Origin.RequestCount);
    }

    [Fact]
    public async Task A_stale_final_entry_is_read_without_the_lock_and_refreshed_with_it()
    {
        Origin.Returns(Entries.Final(_clock.Now, "old", freshFor: TimeSpan.FromSeconds(1), staleFor: TimeSpan.FromHours(1)));
        await ReadAsync(_cache);
        _clock.Advance(TimeSpan.FromSeconds(2));
        _redis.ClearCommands();
        _other.Origin.Returns(Entries.Final(_clock.Now, "new"));

        Assert.Equal(("new", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_other)));

        Assert.Equal(["add lock", "add lock", "set final", "remove lock"], _redis.Commands);
    }

    [Theory]
    [InlineData("get", "", false)]
    [InlineData("get", ":token", false)]
    [InlineData("add", ":lock", false)]
    [InlineData("add", ":lock", true)]
    [InlineData("set", "", false)]
    [InlineData("set", "", true)]
    [InlineData("remove", "", false)]
    [InlineData("", "", false)]
    public async Task Callers_get_an_entry_if_any_step_of_Redis_fails(string command, string part, bool replyOnly)
    {
        using var failing = _redis.Fail(command, part, replyOnly);
        Origin.Returns(Entries.Final(_clock.Now));

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Summary(await _cache.ReadAsync()));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
    }

    [Theory]
    [InlineData("get", "")]
    [InlineData("get", ":token")]
    [InlineData("add", ":lock")]
    [InlineData("set", "")]
    [InlineData("remove", "")]
    [InlineData("", "")]
    public async Task Callers_get_an_entry_if_any_step_of_Redis_hangs(string command, string part)
    {
        using var silent = _redis.Silence(command, part);
        Origin.Returns(Entries.Final(_clock.Now));

        var result = await _clock.PassUntilAsync(_cache.ReadAsync(), CacheUnderTest.RedisTimeout);

        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Summary(result));
        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await _cache.ReadAsync()));
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("garbage")]
    [InlineData("another subject's")]
    [InlineData("empty")]
    public async Task Damaged_bytes_are_a_miss_and_are_counted_and_overwritten(string how)
    {
        using var corrupt = _other.Collect<long>("corrupt");
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        var original = _redis.Value(":final")!;
        _redis.Overwrite(":final", how switch
        {
            "truncated" => original[..^3],
            "garbage" => [.. Enumerable.Repeat((byte)7, 100)],
            "empty" => [],
            _ => CacheEntryFormat.Write(Entries.Final(_clock.Now, key: GenerationId.Parse("g2", null))),
        });

        _other.Origin.Returns(Entries.Final(_clock.Now));
        Assert.Equal(("final", CacheStatus.Miss, CacheTier.None, null), Summary(await ReadAsync(_other)));

        Assert.Equal(original, _redis.Value(":final"));
        Assert.NotEmpty(corrupt.GetMeasurementSnapshot());
    }

    [Fact]
    public async Task A_value_of_another_Redis_type_is_removed_and_counted()
    {
        using var corrupt = _cache.Collect<long>("corrupt");
        var wrongType = new RedisServerException(RedisErrorKind.WrongType, CommandFlags.None, "WRONGTYPE Operation against a key");
        await _cache.SucceedInRedisAsync();
        using (_redis.Fail("add", exception: wrongType))
        using (_redis.Fail("get", ":final", exception: wrongType))
        {
            Origin.Returns(Entries.Final(_clock.Now));
            await ReadAsync(_cache);
        }

        Assert.NotEmpty(corrupt.GetMeasurementSnapshot());
        Assert.NotEqual(0, _redis.Count("remove", ":final"));
        Assert.Equal(CacheTier.Redis, (await ReadAsync(_other)).Tier);
    }

    [Fact]
    public async Task Another_error_of_Redis_removes_nothing()
    {
        using var corrupt = _cache.Collect<long>("corrupt");
        var loading = new RedisServerException(RedisErrorKind.Loading, CommandFlags.None, "LOADING Redis is loading");
        using var locking = _redis.Fail("add", exception: loading);
        using var reading = _redis.Fail("get", ":final", exception: loading);
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);

        Assert.Empty(corrupt.GetMeasurementSnapshot());
        Assert.Equal(0, _redis.Count("remove", ":final"));
    }

    [Fact]
    public async Task FindAsync_returns_the_entry_of_another_replica_and_stores_a_final_one_in_memory()
    {
        Origin.Returns(Entries.Interim(_clock.Now));
        await ReadAsync(_cache);
        Assert.Equal("interim", (await FindAsync(_other)).Text());
        Assert.Null(_other.Memory.Find(Entries.Key));

        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await FindAsync(_other));
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        Assert.Equal("final", (await FindAsync(_other)).Text());
        Assert.Equal("final", _other.Memory.Find(Entries.Key)?.Entry.Text());

        _redis.ClearCommands();
        Assert.Equal("final", (await FindAsync(_other)).Text());
        Assert.Empty(_redis.Commands); // from memory
    }

    [Fact]
    public async Task FindAsync_does_not_store_an_entry_that_is_purged_meanwhile()
    {
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        var lookup = _redis.Hold("get", ":final", replyOnly: true);
        var finding = FindAsync(_other);
        await lookup.ReachedAsync();
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();

        lookup.Release();

        Assert.Equal("final", (await finding).Text()); // the entry that the lookup read before the purge
        Assert.Null(_other.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task FindAsync_stores_the_invalidation_token()
    {
        await _cache.Cache.PurgeAsync(Entries.Key).WithTimeout();
        Origin.Returns(Entries.Final(_clock.Now));
        await ReadAsync(_cache);
        await FindAsync(_other);
        _redis.Lose(":final");

        _clock.Advance(CacheUnderTest.MemoryLifetime);

        Assert.Equal(("final", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_other)));
    }

    [Fact]
    public async Task An_entry_of_PutAsync_is_shared_and_verified_after_the_memory_lifetime()
    {
        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).WithTimeout();

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Redis, null), Summary(await ReadAsync(_other)));
        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));
        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Assert.Equal(CacheTier.Redis, (await ReadAsync(_cache)).Tier);
    }

    [Fact]
    public async Task PutAsync_does_not_replace_a_final_entry_in_Redis()
    {
        Origin.Returns(Entries.Final(_clock.Now, "in Redis"));
        await ReadAsync(_cache);

        await _other.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _other.Cache.Purges).WithTimeout();

        Assert.Equal("in Redis", (await ReadAsync(_other)).Entry.Text());
        Assert.Equal(1, _redis.Count("set", ":final"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PutAsync_writes_no_final_entry_that_memory_and_Redis_have(bool isListedFinal)
    {
        Origin.Returns(Entries.Final(_clock.Now, "known"));
        await ReadAsync(_cache);
        _clock.Advance(CacheUnderTest.MemoryLifetime);
        var listed = isListedFinal ? Entries.Final(_clock.Now, "listed") : Entries.Interim(_clock.Now, "listed");

        var stored = await _cache.Cache.PutAsync(listed, _cache.Cache.Purges).WithTimeout();

        Assert.Equal("known", stored.Text());
        Assert.Equal(1, _redis.Count("set", ":final"));
    }

    [Fact]
    public async Task PutAsync_replaces_a_stale_final_entry_in_Redis()
    {
        Origin.Returns(Entries.Final(_clock.Now, "in Redis", freshFor: TimeSpan.FromHours(1)));
        await ReadAsync(_cache);
        _clock.Advance(TimeSpan.FromHours(1));

        var stored = await _other.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _other.Cache.Purges).WithTimeout();

        Assert.Equal("offered", stored.Text());
        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Redis, null), Summary(await ReadAsync(_cache)));
    }

    [Fact]
    public async Task PutAsync_returns_the_newer_final_entry_of_Redis_after_a_purge()
    {
        await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        Origin.Returns(Entries.Final(_clock.Now, "old"));
        await ReadAsync(_cache);
        var old = (await ReadAsync(_other)).Entry!;
        _clock.Advance(CacheUnderTest.MemoryLifetime);
        Origin.Returns(Entries.Final(_clock.Now, "new"));
        await _cache.RenewAsync(old);

        var stored = await _other.Cache.PutAsync(Entries.Interim(_clock.Now, "offered"), _other.Cache.Purges).WithTimeout();

        Assert.Equal("new", stored.Text());
        Assert.Equal(("new", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_other)));
    }

    [Fact]
    public async Task PutAsync_without_Redis_does_not_restore_a_purged_entry_that_a_fetch_removes_meanwhile()
    {
        Origin.Returns(Entries.Final(_clock.Now, "purged"));
        await ReadAsync(_cache);
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        _clock.Advance(CacheUnderTest.MemoryLifetime);
        _redis.Hold("get", ":token");
        var offering = _cache.Cache.PutAsync(Entries.Interim(_clock.Now, "offered"), _cache.Cache.Purges);
        var fetch = Origin.HoldNext(Entries.Final(_clock.Now, "fetched"));
        var reading = _cache.ReadAsync();
        await fetch.ReachedAsync();
        Assert.Null(_cache.Memory.Find(Entries.Key));

        _clock.Advance(CacheUnderTest.RedisTimeout);

        Assert.Null(await offering.WithTimeout());
        Assert.Null(_cache.Memory.Find(Entries.Key));
        fetch.Release();
        await reading;
    }

    [Fact]
    public async Task PutAsync_stores_nothing_if_the_key_has_an_invalidation_token()
    {
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).WithTimeout();

        Assert.Null(_cache.Memory.Find(Entries.Key));
        Assert.Null(_redis.Value(":final"));
    }

    [Fact]
    public async Task PutAsync_stores_nothing_in_memory_if_Redis_refuses_the_write()
    {
        var lookup = _redis.Hold("get", ":token", replyOnly: true);
        var offering = _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges);
        await lookup.ReachedAsync();
        using (_redis.Fail("publish"))
        {
            await _other.Cache.PurgeAsync(Entries.Key).WithTimeout();
        }

        lookup.Release();
        await offering.WithTimeout();

        Assert.Null(_redis.Value(":final"));
        Assert.Null(_cache.Memory.Find(Entries.Key));
    }

    [Fact]
    public async Task PutAsync_stores_in_memory_if_Redis_is_unavailable()
    {
        using var failing = _redis.Fail();

        await _cache.Cache.PutAsync(Entries.Final(_clock.Now, "offered"), _cache.Cache.Purges).WithTimeout();

        Assert.Equal(("offered", CacheStatus.Hit, CacheTier.Memory, null), Summary(await ReadAsync(_cache)));
    }

    private static (string? Body, CacheStatus Status, CacheTier Tier, UpstreamException? Fault) Summary(CacheResult result) =>
        (result.Entry.Text(), result.Status, result.Tier, result.Fault);

    /// <summary>Reads, and waits until the replica has released its lock. Callers do not wait for that.</summary>
    private async Task<CacheResult> ReadAsync(CacheUnderTest cache)
    {
        var result = await cache.ReadAsync();
        await Eventually.TrueAsync(() => !_redis.Keys.Any(key => key.EndsWith(":lock", StringComparison.Ordinal)));
        return result;
    }

    private static Task<CacheEntry?> FindAsync(CacheUnderTest cache) => cache.Cache.FindAsync(Entries.Key).AsTask().WithTimeout();

    /// <summary>One replica fetches the entry and the other one finds it in Redis.</summary>
    private async Task StoreOnBothReplicasAsync(CacheEntry entry)
    {
        Origin.Returns(entry);
        await ReadAsync(_cache);
        await ReadAsync(_other);
    }
}
