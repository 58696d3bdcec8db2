using BenchmarkDotNet.Attributes;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Benchmarks;

/// <summary>A hit in memory, what Redis's bytes cost on their way in and out, and how long an answer is fresh.</summary>
public class CacheBenchmarks
{
    private static readonly FreshnessOptions Freshness = new();

    private readonly CacheEntry _entry = Pieces.Entry();
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();
    private readonly Generation _generation = new("g1", GenerationState.Completed, null, null, null, null, new VideoAsset("https://cdn.test/v.mp4", 1, 1, 5), null, null, null, null, null);
    private byte[] _bytes = null!;
    private ServiceProvider _services = null!;
    private ResponseCache _cache = null!;

    [GlobalSetup]
    public void Build()
    {
        _bytes = CacheEntryFormat.Write(_entry);
        _services = Pieces.Build();
        _cache = _services.GetRequiredService<ResponseCache>();
        _services.GetRequiredService<MemoryTier>().Set(new MemoryEntry(_entry, long.MaxValue, token: null, verifiedAt: 0));
    }

    [GlobalCleanup]
    public void End() => _services.Dispose();

    [Benchmark]
    public bool Hit()
    {
        var reading = _cache.GetAsync(Pieces.Key, Pieces.Nobody, "request", CancellationToken.None);
        return reading.IsCompletedSuccessfully && reading.Result.Status is CacheStatus.Hit;
    }

    [Benchmark]
    public byte[] WriteForRedis() => CacheEntryFormat.Write(_entry);

    [Benchmark]
    public object? ReadFromRedis() => CacheEntryFormat.Read(Pieces.Key, _bytes);

    [Benchmark]
    public TimeSpan DecideFreshness() => GenerationFreshness.Of(_generation, signsUrls: false, _now, draw: 0.5, Freshness).For;
}
