using System.Runtime.CompilerServices;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Jobs;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Redis;

public sealed class MemoryIdempotencyStoreTests
{
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);

    private readonly FakeTimeProvider _clock = new();
    private readonly MemoryIdempotencyStore _store;

    public MemoryIdempotencyStoreTests() => _store = new MemoryIdempotencyStore(Ledgers.InMemory(_clock), _clock);

    [Fact]
    public async Task Removed_keys_are_garbage_collected()
    {
        var keys = await AddAndFreeAsync(1000);

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.Equal(0, keys.Count(key => key.IsAlive));
        GC.KeepAlive(_store);
    }

    [Fact]
    public async Task A_replaced_record_has_the_lifetime_of_the_last_write()
    {
        byte[] first = [1], second = [2];
        await _store.TryAddAsync("client", "a", first, TimeSpan.FromMinutes(1));
        Assert.True(await _store.ReplaceAsync("a", first, second, TimeSpan.FromHours(1)));
        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(second, await _store.TryAddAsync("client", "a", first, Day));

        _clock.Advance(TimeSpan.FromHours(1));

        Assert.Null(await _store.TryAddAsync("client", "a", first, Day));
    }

    [Fact]
    public async Task One_client_fills_only_its_own_share()
    {
        var record = new byte[1024 * 1024];
        var added = 0;
        await Assert.ThrowsAnyAsync<IdempotencyStoreUnavailableException>(async () =>
        {
            for (; ; added++)
            {
                await _store.TryAddAsync("first", $"first:{added}", record, Day);
            }
        });

        Assert.InRange(added, 1, 16);
        Assert.Null(await _store.TryAddAsync("other", "other:1", record, Day));
    }

    [Fact]
    public async Task Removed_and_expired_records_free_the_share()
    {
        var record = new byte[1024 * 1024];
        for (var round = 0; round < 100; round++)
        {
            Assert.Null(await _store.TryAddAsync("client", $"k{round}", record, Day));
            await _store.RemoveAsync($"k{round}", record);
        }

        for (var round = 0; round < 100; round++)
        {
            Assert.Null(await _store.TryAddAsync("client", $"t{round}", record, TimeSpan.FromMinutes(1)));
            _clock.Advance(TimeSpan.FromMinutes(2));
        }

        byte[] small = [1];
        for (var round = 0; round < 100; round++)
        {
            Assert.Null(await _store.TryAddAsync("client", $"r{round}", small, Day));
            Assert.True(await _store.ReplaceAsync($"r{round}", small, record, TimeSpan.FromMinutes(1)));
            _clock.Advance(TimeSpan.FromMinutes(2));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<List<WeakReference>> AddAndFreeAsync(int count)
    {
        var keys = new List<WeakReference>();
        byte[] record = [1];
        for (var i = 0; i < count; i++)
        {
            var key = $"key-{i}";
            await _store.TryAddAsync("client", key, record, Day);
            await _store.RemoveAsync(key, record);
            keys.Add(new WeakReference(key));
        }

        return keys;
    }
}
