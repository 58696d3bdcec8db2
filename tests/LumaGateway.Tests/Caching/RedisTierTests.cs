using System.Diagnostics;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Tests.Redis;
using StackExchange.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>The Redis tier: entries, locks and invalidation tokens in Redis, and the effect of failing commands. Redis is a fake. Needs nothing.</summary>
public sealed class RedisTierTests : IAsyncLifetime
{
    private static readonly GenerationId Key = Entries.Key;

    /// <summary>The time that an entry stays in Redis after its last use.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(2);

    private readonly WaitingClock _clock = new();
    private readonly FakeRedis _redis;
    private CacheUnderTest _cache = null!;

    public RedisTierTests() => _redis = new FakeRedis(_clock);

    private RedisTier Tier => _cache.Redis;

    public async ValueTask InitializeAsync()
    {
        _cache = await CacheUnderTest.StartAsync(_clock, _redis);
        _redis.ClearCommands();
    }

    public ValueTask DisposeAsync() => _cache.DisposeAsync();

    [Fact]
    public async Task A_final_and_an_interim_entry_are_stored_separately_and_the_final_one_is_preferred()
    {
        Assert.Equal(WriteResult.Stored, await Tier.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout());
        Assert.Equal(WriteResult.Stored, await Tier.WriteAsync(Entries.Interim(_clock.Now), null).WithTimeout());

        var view = await Tier.ReadAsync(Key).WithTimeout();

        Assert.Equal(("final", "interim", "final", null, true), (view.Final.Text(), view.Interim.Text(), view.Best.Text(), view.InvalidationToken, view.IsReached));
        _redis.Lose(":final");
        Assert.Equal("interim", (await Tier.ReadAsync(Key).WithTimeout()).Best.Text());
    }

    [Fact]
    public async Task IsReached_is_true_for_an_empty_Redis_and_false_for_a_failing_one()
    {
        var empty = await Tier.ReadAsync(Key).WithTimeout();
        Assert.Equal((null, null, null, true), (empty.Final, empty.Interim, empty.InvalidationToken, empty.IsReached));

        using var failing = _redis.Fail("get", ":interim");
        Assert.Equal(default, await Tier.ReadAsync(Key).WithTimeout());
    }

    [Fact]
    public async Task A_final_entry_lives_in_Redis_until_StaleUntil_and_an_interim_one_ten_minutes_after_FreshUntil()
    {
        await Tier.WriteAsync(Entries.Final(_clock.Now, freshFor: TimeSpan.FromHours(1), staleFor: TimeSpan.FromHours(2)), null).WithTimeout();
        await Tier.WriteAsync(Entries.Interim(_clock.Now, freshFor: TimeSpan.FromSeconds(5)), null).WithTimeout();

        Assert.Equal(TimeSpan.FromHours(3) + Slack, _redis.LifeOf(":final"));
        Assert.Equal(TimeSpan.FromSeconds(5) + TimeSpan.FromMinutes(10) + Slack, _redis.LifeOf(":interim"));
    }

    [Fact]
    public async Task An_expired_entry_is_not_written()
    {
        Assert.Equal(WriteResult.Stored, await Tier.WriteAsync(Entries.Interim(_clock.Now.AddSeconds(-5), freshFor: TimeSpan.FromSeconds(5)), null).WithTimeout());
        Assert.Equal(WriteResult.Stored, await Tier.WriteAsync(Entries.Interim(_clock.Now.AddSeconds(-9), freshFor: TimeSpan.FromSeconds(5)), null).WithTimeout());

        Assert.Empty(_redis.Commands);
    }

    [Fact]
    public async Task Only_a_not_found_entry_removes_the_final_entry()
    {
        await Tier.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout();
        await Tier.WriteAsync(Entries.Interim(_clock.Now), null).WithTimeout();
        Assert.NotNull(_redis.Value(":final"));

        await Tier.WriteAsync(Entries.NotFound(_clock.Now), null).WithTimeout();

        Assert.Null(_redis.Value(":final"));
        Assert.Equal(EntryKind.NotFound, (await Tier.ReadAsync(Key).WithTimeout()).Best!.Kind);
    }

    [Fact]
    public async Task A_final_entry_of_a_replica_that_was_paused_does_not_replace_a_later_not_found_entry_that_has_expired()
    {
        var late = Entries.Final(_clock.Now);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await Tier.WriteAsync(Entries.NotFound(_clock.Now), null).WithTimeout();
        _clock.Advance(TimeSpan.FromMinutes(5));

        Assert.Equal(WriteResult.Outdated, await Tier.WriteAsync(late, null).WithTimeout());

        Assert.Null(_redis.Value(":final"));
    }

    [Fact]
    public async Task PutAsync_returns_the_newer_interim_entry_of_Redis_though_it_is_not_fresh()
    {
        var late = Entries.Interim(_clock.Now, "late", freshFor: TimeSpan.FromSeconds(10));
        _clock.Advance(TimeSpan.FromSeconds(1));
        await Tier.WriteAsync(Entries.Interim(_clock.Now, "newer", freshFor: TimeSpan.FromSeconds(1)), null).WithTimeout();
        _clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("newer", (await _cache.Cache.PutAsync(late, _cache.Cache.Purges).WithTimeout()).Text());
    }

    [Fact]
    public async Task A_write_is_refused_only_if_the_invalidation_token_has_changed()
    {
        Assert.True(await Tier.PurgeAsync(Key).WithTimeout());
        var token = (await Tier.ReadAsync(Key).WithTimeout()).InvalidationToken;
        Assert.NotNull(token);

        Assert.Equal(WriteResult.Invalidated, await Tier.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout());
        Assert.Null(_redis.Value(":final"));
        Assert.Equal(WriteResult.Stored, await Tier.WriteAsync(Entries.Final(_clock.Now), token).WithTimeout());
        Assert.NotNull(_redis.Value(":final"));

        await Tier.PurgeAsync(Key).WithTimeout();
        Assert.NotEqual(token, (await Tier.ReadAsync(Key).WithTimeout()).InvalidationToken); // every purge creates a new token
        Assert.Equal(WriteResult.Invalidated, await Tier.WriteAsync(Entries.Interim(_clock.Now), token).WithTimeout());
        Assert.Null(_redis.Value(":interim"));
    }

    [Fact]
    public async Task A_write_that_Redis_does_not_confirm_counts_as_stored()
    {
        using var failing = _redis.Fail("set");

        Assert.Equal(WriteResult.Stored, await Tier.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout());
    }

    [Fact]
    public async Task A_write_that_Redis_performs_after_a_purge_changes_nothing()
    {
        var slow = _redis.Hold("set", ":final");
        var writing = Tier.WriteAsync(Entries.Final(_clock.Now), null);
        await slow.ReachedAsync();
        await _clock.PassAsync(CacheUnderTest.RedisTimeout);
        Assert.Equal(WriteResult.Stored, await writing.WithTimeout());
        Assert.True(await Tier.PurgeAsync(Key).WithTimeout());

        slow.Release();

        await Eventually.TrueAsync(() => _redis.Count("set", ":final") == 1);
        Assert.Null(_redis.Value(":final"));
    }

    [Fact]
    public async Task A_purge_removes_both_entries_and_leaves_its_token_for_ten_minutes()
    {
        await Tier.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout();
        await Tier.WriteAsync(Entries.Interim(_clock.Now), null).WithTimeout();
        _redis.ClearCommands();

        Assert.True(await Tier.PurgeAsync(Key).WithTimeout());

        Assert.Equal(["purge token"], _redis.Commands);
        Assert.EndsWith(":token", Assert.Single(_redis.Keys), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(10), _redis.LifeOf(":token"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_purge_that_Redis_refuses_returns_false(int kind)
    {
        Exception exception = kind switch { 0 => FakeRedis.ConnectionLost(), 1 => new TimeoutException(), 2 => new RedisCommandException("The database does not exist on the server: 20"), _ => new ObjectDisposedException("connection") };
        using var failing = _redis.Fail("purge", exception: exception);

        Assert.False(await Tier.PurgeAsync(Key).WithTimeout());
    }

    [Fact]
    public async Task A_key_is_not_read_from_Redis_until_its_purge_is_confirmed()
    {
        var other = GenerationId.Parse("g2", null);
        await Tier.WriteAsync(Entries.Final(_clock.Now), null).WithTimeout();
        await Tier.WriteAsync(Entries.Final(_clock.Now, key: other), null).WithTimeout();
        var confirmed = new TaskCompletionSource<GenerationId>();
        Tier.PurgeConfirmed += key => confirmed.TrySetResult(key);
        using (_redis.Fail("purge"))
        {
            Assert.False(await Tier.PurgeAsync(Key).WithTimeout());
            await _clock.PassAsync(TimeSpan.FromSeconds(1)); // repeated, and not confirmed again
        }

        Assert.Equal(default, await Tier.ReadAsync(Key).WithTimeout());
        Assert.Equal(default, await Tier.ReadAsync(Key).WithTimeout());
        Assert.Equal(WriteResult.Stored, await Tier.WriteAsync(Entries.Final(_clock.Now, "new"), null).WithTimeout());
        Assert.NotNull((await Tier.ReadAsync(other).WithTimeout()).Final);

        await _clock.PassUntilAsync(confirmed.Task, TimeSpan.FromSeconds(1));
        Assert.Equal(Key, await confirmed.Task);
        var view = await Tier.ReadAsync(Key).WithTimeout();
        Assert.True(view.IsReached);
        Assert.Null(view.Final);
        Assert.NotNull(view.InvalidationToken);
    }

    [Fact]
    public async Task A_purge_times_out_after_three_seconds()
    {
        using var silent = _redis.Silence("purge", ":token");
        var purging = Tier.PurgeAsync(Key);

        await _clock.PassAsync(TimeSpan.FromSeconds(3));

        Assert.False(await purging.WithTimeout());
    }

    [Fact]
    public async Task An_unexpected_exception_in_a_purge_is_thrown()
    {
        using var failing = _redis.Fail("purge", exception: new InvalidOperationException("a bug"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Tier.PurgeAsync(Key));
    }

    [Fact]
    public async Task A_purge_creates_a_span_that_is_an_error_if_it_fails()
    {
        using var succeeded = new Spans();
        using var failed = new Spans();
        await succeeded.Within(() => Tier.PurgeAsync(Key));
        using var failing = _redis.Fail("purge");
        await failed.Within(() => Tier.PurgeAsync(Key));

        Assert.Equal(ActivityStatusCode.Unset, succeeded.Single("redis purge").Status);
        Assert.Equal(ActivityStatusCode.Error, failed.Single("redis purge").Status);
    }

    [Fact]
    public async Task Entries_use_the_single_connection_of_the_process() => Assert.NotNull(await _cache.StoreConnectionAsync());

    [Fact]
    public async Task One_replica_at_a_time_holds_the_lock()
    {
        var (mine, _, _, reached) = await Tier.TryAcquireLockAsync(Key).WithTimeout();
        Assert.True(reached);
        Assert.NotNull(mine);

        var refused = await Tier.TryAcquireLockAsync(Key).WithTimeout();
        Assert.Equal((null, true), (refused.Lock, refused.IsReached));
        Assert.NotNull((await Tier.TryAcquireLockAsync(GenerationId.Parse("g2", null)).WithTimeout()).Lock);
        mine.Dispose();
        Assert.NotNull((await Tier.TryAcquireLockAsync(Key).WithTimeout()).Lock);
    }

    [Fact]
    public async Task A_lock_is_renewed_and_disposed_of_without_an_exception_if_the_client_throws_before_it_sends()
    {
        var heldLock = (await Tier.TryAcquireLockAsync(Key).WithTimeout()).Lock!;
        _redis.ClientFault = new ObjectDisposedException("connection");

        _clock.Advance(CacheUnderTest.LockLifetime / 3); // a timer renews the lock: its exception would end the process
        heldLock.Dispose();
        Assert.False((await Tier.TryAcquireLockAsync(Key).WithTimeout()).IsReached);
    }

    [Fact]
    public async Task The_lock_lives_for_LockLifetime()
    {
        await Tier.TryAcquireLockAsync(Key).WithTimeout();

        Assert.Equal(CacheUnderTest.LockLifetime, _redis.LifeOf(":lock"));
    }

    [Fact]
    public async Task All_Redis_names_of_a_key_share_a_hash_tag_and_differ()
    {
        await Tier.TryAcquireLockAsync(Key).WithTimeout();
        await Tier.PurgeAsync(Key).WithTimeout();
        var token = (await Tier.ReadAsync(Key).WithTimeout()).InvalidationToken;
        await Tier.WriteAsync(Entries.Final(_clock.Now), token).WithTimeout();
        await Tier.WriteAsync(Entries.Interim(_clock.Now), token).WithTimeout();

        Assert.Equal(4, _redis.Keys.Count);
        Assert.All(_redis.Keys, key => Assert.Contains("{g1}:", key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_Redis_reads_find_nothing_and_writes_return_Stored()
    {
        await using var withoutRedis = CacheUnderTest.Create(_clock);

        Assert.False(withoutRedis.Redis.IsConfigured);
        Assert.Equal(default, await withoutRedis.Redis.ReadAsync(Key).WithTimeout());
        Assert.Equal(WriteResult.Stored, await withoutRedis.Redis.WriteAsync(Entries.Final(_clock.Now), "any token").WithTimeout());
        await withoutRedis.StartAsync(); // the warm-up does nothing
    }

    [Fact]
    public async Task The_warm_up_runs_every_kind_of_step_once()
    {
        await using var cache = await CacheUnderTest.StartAsync(_clock, _redis);

        Assert.Equal(["add lock", "get final", "get interim", "get token", "remove lock"], _redis.Commands.Where(command => command is not ("subscribe replicas" or "ping ")).Order());
        Assert.DoesNotContain(_redis.Keys, key => key.EndsWith(":lock", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_command_that_the_client_refuses_to_send_does_not_stop_the_start()
    {
        using var failing = _redis.Fail(exception: new RedisCommandException("The database does not exist on the server: 20"));

        await new RedisWarmUp(Tier, _clock).StartAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_warm_up_throws_the_exceptions_of_Redis()
    {
        using var failing = _redis.Fail("get");

        await Assert.ThrowsAnyAsync<RedisException>(() => Tier.WarmUpAsync());
    }

    [Theory]
    [InlineData("get")]
    [InlineData("add")]
    public async Task The_gateway_starts_with_a_failing_Redis(string command)
    {
        using var failing = _redis.Fail(command);

        await using var cache = await CacheUnderTest.StartAsync(_clock, _redis);

        Assert.True(cache.Redis.IsConfigured);
    }

    [Fact]
    public async Task A_hanging_Redis_delays_the_start_by_one_second()
    {
        using var silent = _redis.Silence("get");
        await using var cache = CacheUnderTest.Create(_clock, _redis);

        await _clock.PassUntilAsync(cache.StartAsync(), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task An_unexpected_exception_in_the_warm_up_is_thrown()
    {
        using var failing = _redis.Fail("get", exception: new InvalidOperationException("a bug"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => CacheUnderTest.StartAsync(_clock, _redis));
    }
}
