using Microsoft.Extensions.Caching.Distributed;

namespace LumaGateway.SystemTests.Redis;

/// <summary>A store that delays reads.</summary>
internal sealed class DelayedStore(IDistributedCache store) : IDistributedCache
{
    private long _delayTicks;

    public TimeSpan Delay
    {
        get => new(Volatile.Read(ref _delayTicks));
        set => Volatile.Write(ref _delayTicks, value.Ticks);
    }

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        var value = await store.GetAsync(key, token);
        await Task.Delay(Delay, TimeProvider.System, token);
        return value;
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
