using System.Collections.Concurrent;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Tests.Redis;
using LumaGateway.Time;

namespace LumaGateway.Tests.Caching;

/// <summary>Returns scripted entries in order and throws on an unscripted fetch. Counts the fetches.</summary>
internal sealed class FakeOrigin : IEntrySource
{
    private readonly ConcurrentQueue<Func<Deadline, Task<CacheEntry>>> _script = new();
    private readonly ConcurrentQueue<(GenerationId Key, string RequestId)> _requests = new();

    /// <summary>Long by default, so that no test reaches it by accident.</summary>
    public TimeSpan Deadline { get; set; } = TimeSpan.FromMinutes(5);

    public int RequestCount => _requests.Count;

    /// <summary>The key and request id of the last fetch.</summary>
    public (GenerationId Key, string RequestId) LastRequest => _requests.Last();

    public void Returns(CacheEntry entry) => _script.Enqueue(_ => Task.FromResult(entry));

    public void Fails(UpstreamException? fault = null) => _script.Enqueue(_ => Task.FromException<CacheEntry>(fault ?? NewFault()));

    /// <summary>Holds the next unscripted fetch until the test releases it; it then returns the entry, or fails if that is null.</summary>
    public HeldStep HoldNext(CacheEntry? entry)
    {
        var step = new HeldStep();
        _script.Enqueue(async _ =>
        {
            await step.HoldAsync();
            return entry ?? throw NewFault();
        });
        return step;
    }

    private static UpstreamException NewFault() => new(UpstreamFault.Failed, "The origin fails.");

    public Task<CacheEntry> FetchAsync(GenerationId key, string requestId, Deadline deadline)
    {
        _requests.Enqueue((key, requestId));
        return _script.TryDequeue(out var next) ? next(deadline) : throw new InvalidOperationException($"Unscripted fetch of {key}.");
    }
}
