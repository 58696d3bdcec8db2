using System.Collections.Concurrent;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using Microsoft.Extensions.Caching.Distributed;

namespace LumaGateway.SystemTests.Redis;

/// <summary>What was purged, deleted or replaced does not come back, whichever replica is late, was stopped, or did not hear of it. On a real Redis.</summary>
public sealed class InvalidationTests : IAsyncLifetime
{
    private static readonly GenerationId Key = GenerationId.Parse("subject", null);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MemoryLifetime = new CacheOptions().MemoryLifetime;

    private const string FarAway = "00:00:05";

    private readonly OffsetClock _clock = new();
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replica_that_lost_its_lock_during_a_fetch_does_not_replace_a_newer_entry(bool isAbsent)
    {
        await using var stopped = await StartAsync();
        await using var quick = await StartAsync();
        await using var third = await StartAsync();
        var asked = new TaskCompletionSource();
        var held = new TaskCompletionSource();
        var reading = stopped.ReadAsync(Key, async () =>
        {
            var answer = Entry(isAbsent ? EntryKind.NotFound : EntryKind.Final, "asked for first");
            asked.SetResult();
            await held.Task;
            return answer;
        });
        await asked.Task;
        await LoseLockAsync();
        await quick.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.Final, "asked for later")));

        held.SetResult();

        Assert.Equal("asked for later", await reading); // who asked the late one is told the newer answer too
        Assert.Equal("asked for later", await third.ReadAsync(Key, EntryKind.Final, "asked for again"));
    }

    [Fact]
    public async Task A_replica_that_lost_its_lock_does_not_restore_a_deleted_generation()
    {
        await using var stopped = await StartAsync();
        await using var quick = await StartAsync();
        await using var third = await StartAsync();
        await quick.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.Final, "stale", TimeSpan.Zero)));
        var asked = new TaskCompletionSource();
        var held = new TaskCompletionSource();
        var reading = stopped.ReadAsync(Key, async () =>
        {
            var answer = Entry(EntryKind.Final, "from before");
            asked.SetResult();
            await held.Task;
            return answer;
        });
        await asked.Task;
        await LoseLockAsync();
        _clock.Advance(TimeSpan.FromMinutes(1));
        await quick.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.NotFound, "gone")));
        await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync("*:brief")).Single()); // that it is gone is remembered for a second only

        held.SetResult();
        await reading;

        Assert.Equal("asked for again", await third.ReadAsync(Key, EntryKind.Final, "asked for again"));
    }

    [Fact]
    public async Task A_not_found_entry_of_one_replica_is_not_overwritten_from_the_memory_of_another()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await one.ReadAsync(Key, EntryKind.Final, "was there");
        await other.ReadAsync(Key, EntryKind.Final, "not asked for");
        _clock.Advance(TimeSpan.FromHours(1)); // no longer fresh where it was fetched
        await other.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.Final, "refreshed")));
        _clock.Advance(MemoryLifetime);

        Assert.Equal("gone", await ReadNewerAsync(one, "gone"));

        _clock.Advance(MemoryLifetime);
        Assert.Equal("asked for again", await other.ReadAsync(Key, EntryKind.Final, "asked for again"));
    }

    [Fact]
    public async Task Memory_not_verified_for_the_lifetime_of_a_token_is_removed_and_not_written_to_Redis()
    {
        await using var deaf = await StartAsync();
        await using var other = await StartAsync();
        await deaf.ReadAsync(Key, EntryKind.Final, "purged");
        await ForgetSilentlyAsync("final"); // a purge that it did not hear of, and whose mark has run out
        _clock.Advance(TimeSpan.FromMinutes(11));

        Assert.Equal("asked for again", await deaf.ReadAsync(Key, EntryKind.Final, "asked for again"));
        Assert.Equal("asked for again", await other.ReadAsync(Key, EntryKind.Final, "asked for twice"));
    }

    [Fact]
    public async Task Recently_verified_memory_is_written_again_if_Redis_lost_the_entry()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await one.ReadAsync(Key, EntryKind.Final, "known");
        await ForgetSilentlyAsync("final");
        _clock.Advance(MemoryLifetime);

        Assert.Equal("known", await one.ReadAsync(Key, EntryKind.Final, "asked for again"));
        Assert.Equal("known", await other.ReadAsync(Key, EntryKind.Final, "asked for twice"));
    }

    [Fact]
    public async Task An_unconfirmed_purge_is_repeated_and_until_then_the_entry_in_Redis_is_not_read()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes");
        await using var one = await CacheReplica.StartAsync(redis.Endpoint, clock: _clock);
        await using var other = await CacheReplica.StartAsync(redis.Endpoint, clock: _clock);
        await one.ReadAsync(Key, EntryKind.Final, "old");
        await other.ReadAsync(Key, EntryKind.Final, "not asked for");
        redis.Pause();

        Assert.False(await one.Cache.PurgeAsync(Key));
        Assert.Equal("new", await one.ReadAsync(Key, EntryKind.Final, "new"));
        redis.Resume();

        await Wait.UntilAsync(
            async () => await other.ReadAsync(Key, EntryKind.Final, "new") is "new", Patience, () => "The other replica never heard of the purge.");
        Assert.Equal("new", await one.ReadAsync(Key, EntryKind.Final, "new"));
    }

    [Fact]
    public async Task The_invalidation_token_is_read_before_the_entries()
    {
        var names = new ConcurrentQueue<string>();
        await using var replica = await CacheReplica.StartAsync(_redis.Endpoint, store: store => new NamingStore(store, names));
        names.Clear();

        await replica.ReadAsync(Key, EntryKind.Final, "any");

        Assert.EndsWith(":epoch", names.First(), StringComparison.Ordinal);
    }

    private Task<CacheReplica> StartAsync() => CacheReplica.StartAsync(_redis.Endpoint, clock: _clock);

    /// <summary>Asks past what is fresh, as a renewal of links does.</summary>
    private async Task<string> ReadNewerAsync(CacheReplica replica, string body)
    {
        var origin = new Origin((_, _, _) => Task.FromResult(Entry(EntryKind.NotFound, body)), Patience);
        var outdated = Entry(EntryKind.Final, "outdated");
        var answer = await replica.Cache.RenewAsync(outdated, origin, "request", TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(answer.Entry!.Body);
    }

    /// <summary>An answer to what is asked now.</summary>
    private CacheEntry Entry(EntryKind kind, string body, TimeSpan? fresh = null)
    {
        var now = _clock.GetUtcNow();
        return new CacheEntry(Key, kind, Encoding.UTF8.GetBytes(body), now, now + (fresh ?? TimeSpan.FromHours(kind is EntryKind.Final ? 1 : 0.01)), now.AddHours(2));
    }

    private async Task LoseLockAsync() => await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync("*:lock")).Single());

    private async Task ForgetSilentlyAsync(string part) => await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync($"*:{part}")).Single());

    private sealed class NamingStore(IDistributedCache store, ConcurrentQueue<string> names) : IDistributedCache
    {
        public Task<byte[]?> GetAsync(string key, CancellationToken token = default)
        {
            names.Enqueue(key);
            return store.GetAsync(key, token);
        }

        public byte[]? Get(string key) => throw new NotSupportedException();

        public void Refresh(string key) => throw new NotSupportedException();

        public Task RefreshAsync(string key, CancellationToken token = default) => throw new NotSupportedException();

        public void Remove(string key) => throw new NotSupportedException();

        public Task RemoveAsync(string key, CancellationToken token = default) => store.RemoveAsync(key, token);

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException();

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
            store.SetAsync(key, value, options, token);
    }
}
