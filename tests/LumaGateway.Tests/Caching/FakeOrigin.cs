using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;
using LumaGateway.Time;

namespace LumaGateway.Tests.Caching;

/// <summary>An origin that answers what it was told to, in order: the unscripted throws. Counts what it was asked, which is the oracle for caching.</summary>
internal sealed class FakeOrigin
{
    private readonly ConcurrentQueue<Func<Deadline, Task<CacheEntry>>> _script = new();
    private readonly ConcurrentQueue<(CacheKey Key, string RequestId)> _asked = new();

    public FakeOrigin() => Origin = new Origin(FetchAsync, TimeSpan.FromMinutes(5));

    /// <summary>As the cache takes it. Its deadline is far away, unless a test is about it.</summary>
    public Origin Origin { get; set; }

    public int Asked => _asked.Count;

    /// <summary>The key and the request for which it was last asked.</summary>
    public (CacheKey Key, string RequestId) LastAsked => _asked.Last();

    public void Answers(CacheEntry entry) => _script.Enqueue(_ => Task.FromResult(entry));

    public void Fails(UpstreamException? fault = null) =>
        _script.Enqueue(_ => Task.FromException<CacheEntry>(fault ?? new UpstreamException(UpstreamFault.Failed, "The origin fails.")));

    /// <summary>Holds the next fetch that has nothing else scripted before it; it then gives the entry.</summary>
    public HeldStep Holds(CacheEntry entry)
    {
        var step = new HeldStep();
        _script.Enqueue(async _ =>
        {
            await step.PassAsync();
            return entry;
        });
        return step;
    }

    private Task<CacheEntry> FetchAsync(CacheKey key, string requestId, Deadline deadline)
    {
        _asked.Enqueue((key, requestId));
        return _script.TryDequeue(out var next) ? next(deadline) : throw new InvalidOperationException($"Unscripted fetch of {key}.");
    }
}
