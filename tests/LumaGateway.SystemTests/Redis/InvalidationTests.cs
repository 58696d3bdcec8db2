using System.Collections.Concurrent;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using Microsoft.Extensions.Caching.Distributed;

namespace LumaGateway.SystemTests.Redis;

/// <summary>A replica that is late, was paused or missed a message does not restore purged, deleted or replaced entries. Needs redis-server or Garnet.</summary>
public sealed class InvalidationTests : IAsyncLifetime
{
    private static readonly GenerationId Key = GenerationId.Parse("subject", null);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MemoryLifetime = new CacheOptions().MemoryLifetime;

    private readonly OffsetClock _clock = new();
    private RedisServer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisServer.StartAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replica_that_lost_its_lock_during_a_fetch_does_not_replace_a_newer_entry(bool isAbsent)
    {
        await using var paused = await StartAsync();
        await using var fast = await StartAsync();
        await using var third = await StartAsync();
        var started = new TaskCompletionSource();
        var released = new TaskCompletionSource();
        var reading = paused.ReadAsync(Key, async () =>
        {
            var entry = Entry(isAbsent ? EntryKind.NotFound : EntryKind.Final, "fetched first");
            started.SetResult();
            await released.Task;
            return entry;
        });
        await started.Task;
        await LoseLockAsync();
        await fast.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.Final, "fetched later")));

        released.SetResult();

        Assert.Equal("fetched later", await reading); // the caller of the late replica also gets the newer entry
        Assert.Equal("fetched later", await third.ReadAsync(Key, EntryKind.Final, "fetched again"));
    }

    [Fact]
    public async Task A_replica_that_lost_its_lock_does_not_restore_a_deleted_generation()
    {
        await using var paused = await StartAsync();
        await using var fast = await StartAsync();
        await using var third = await StartAsync();
        await fast.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.Final, "stale", TimeSpan.Zero)));
        var started = new TaskCompletionSource();
        var released = new TaskCompletionSource();
        var reading = paused.ReadAsync(Key, async () =>
        {
            var entry = Entry(EntryKind.Final, "from before");
            started.SetResult();
            await released.Task;
            return entry;
        });
        await started.Task;
        await LoseLockAsync();
        _clock.Advance(TimeSpan.FromMinutes(1));
        await fast.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.NotFound, "not found")));
        await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync("*:interim")).Single()); // a not-found entry is fresh for one second only

        released.SetResult();
        await reading;

        Assert.Equal("fetched again", await third.ReadAsync(Key, EntryKind.Final, "fetched again"));
    }

    [Fact]
    public async Task A_not_found_entry_of_one_replica_is_not_overwritten_from_the_memory_of_another()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await one.ReadAsync(Key, EntryKind.Final, "was there");
        await other.ReadAsync(Key, EntryKind.Final, "not fetched");
        _clock.Advance(TimeSpan.FromHours(1)); // no longer fresh in its replica
        await other.ReadAsync(Key, () => Task.FromResult(Entry(EntryKind.Final, "refreshed")));
        _clock.Advance(MemoryLifetime);

        Assert.Equal("not found", await ReadNewerAsync(one, "not found"));

        _clock.Advance(MemoryLifetime);
        Assert.Equal("fetched again", await other.ReadAsync(Key, EntryKind.Final, "fetched again"));
    }

    [Fact]
    public async Task Memory_not_verified_for_the_lifetime_of_a_token_is_removed_and_not_written_to_Redis()
    {
        await using var isolated = await StartAsync();
        await using var other = await StartAsync();
        await isolated.ReadAsync(Key, EntryKind.Final, "purged");
        await DeleteInRedisAsync("final"); // a purge without a message, whose token has expired
        _clock.Advance(TimeSpan.FromMinutes(11));

        Assert.Equal("fetched again", await isolated.ReadAsync(Key, EntryKind.Final, "fetched again"));
        Assert.Equal("fetched again", await other.ReadAsync(Key, EntryKind.Final, "fetched twice"));
    }

    [Fact]
    public async Task Recently_verified_memory_is_written_again_if_Redis_lost_the_entry()
    {
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        await one.ReadAsync(Key, EntryKind.Final, "known");
        await DeleteInRedisAsync("final");
        _clock.Advance(MemoryLifetime);

        Assert.Equal("known", await one.ReadAsync(Key, EntryKind.Final, "fetched again"));
        Assert.Equal("known", await other.ReadAsync(Key, EntryKind.Final, "fetched twice"));
    }

    [Fact]
    public async Task An_unconfirmed_purge_is_repeated_and_until_then_the_entry_in_Redis_is_not_read()
    {
        RedisServer.Require();
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes");
        await using var one = await CacheReplica.StartAsync(redis.Endpoint, clock: _clock);
        await using var other = await CacheReplica.StartAsync(redis.Endpoint, clock: _clock);
        await one.ReadAsync(Key, EntryKind.Final, "old");
        await other.ReadAsync(Key, EntryKind.Final, "not fetched");
        redis.Pause();

        Assert.False(await one.Cache.PurgeAsync(Key));
        Assert.Equal("new", await one.ReadAsync(Key, EntryKind.Final, "new"));
        redis.Resume();

        await Wait.UntilAsync(
            async () => await other.ReadAsync(Key, EntryKind.Final, "new") is "new", Timeout, () => "The other replica did not receive the purge.");
        Assert.Equal("new", await one.ReadAsync(Key, EntryKind.Final, "new"));
    }

    [Fact]
    public async Task The_invalidation_token_is_read_before_the_entries()
    {
        var names = new ConcurrentQueue<string>();
        await using var replica = await CacheReplica.StartAsync(_redis.Endpoint, store: store => new RecordingStore(store, names));
        names.Clear();

        await replica.Cache.FindAsync(Key);

        Assert.EndsWith(":token", names.First(), StringComparison.Ordinal);
    }

    private Task<CacheReplica> StartAsync() => CacheReplica.StartAsync(_redis.Endpoint, clock: _clock);

    /// <summary>Reads without the cache, like a renewal of links.</summary>
    private async Task<string> ReadNewerAsync(CacheReplica replica, string body)
    {
        var request = replica.RequestFor(() => Task.FromResult(Entry(EntryKind.NotFound, body)));
        var outdated = Entry(EntryKind.Final, "outdated");
        var result = await replica.Cache.RenewAsync(outdated, request, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(result.Entry!.Body);
    }

    /// <summary>Creates an entry that is fetched now.</summary>
    private CacheEntry Entry(EntryKind kind, string body, TimeSpan? fresh = null)
    {
        var now = _clock.GetUtcNow();
        return new CacheEntry(Key, kind, Encoding.UTF8.GetBytes(body), now, now + (fresh ?? TimeSpan.FromHours(kind is EntryKind.Final ? 1 : 0.01)), now.AddHours(2));
    }

    private async Task LoseLockAsync() => await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync("*:lock")).Single());

    private async Task DeleteInRedisAsync(string part) => await (await _redis.DataAsync()).KeyDeleteAsync((await _redis.KeysAsync($"*:{part}")).Single());

    private sealed class RecordingStore(IDistributedCache store, ConcurrentQueue<string> names) : IDistributedCache
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
