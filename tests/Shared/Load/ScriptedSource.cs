using System.Collections.Concurrent;
using System.Globalization;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Time;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>The source of a cache in which each read brings its own entry. Caches may share it. Thread-safe.</summary>
internal sealed class ScriptedSource : IEntrySource
{
    private readonly ConcurrentDictionary<string, Func<Task<CacheEntry>>> _entries = new();
    private long _requests;

    public TimeSpan Deadline { get; } = TimeSpan.FromMinutes(2);

    /// <summary>A request that gets the entry if it starts a fetch.</summary>
    public FetchRequest RequestFor(Func<Task<CacheEntry>> entry)
    {
        var id = Interlocked.Increment(ref _requests).ToString(CultureInfo.InvariantCulture);
        _entries[id] = entry;
        return new FetchRequest(id);
    }

    public Task<CacheEntry> FetchAsync(GenerationId key, string requestId, Deadline deadline) => _entries[requestId]();
}
