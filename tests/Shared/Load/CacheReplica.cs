using System.Diagnostics.Metrics;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LumaGateway.Tests.Shared.Load;

/// <summary>The cache alone, in this process, on a real Redis: for what must be held still between two steps, or counted.</summary>
internal sealed class CacheReplica : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly MeterListener _listener = new();
    private long _corrupt;

    private CacheReplica(ServiceProvider services)
    {
        _services = services;
        var own = services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name is "luma_gateway.cache.corrupt" && ReferenceEquals(instrument.Meter.Scope, own))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref _corrupt, count));
        _listener.Start();
        Cache = services.GetRequiredService<ResponseCache>();
    }

    public ResponseCache Cache { get; }

    /// <summary>Entries counted as spoilt.</summary>
    public long Corrupt => Interlocked.Read(ref _corrupt);

    /// <param name="redis">The connection string.</param>
    /// <param name="account">Replicas of another account do not see each other's entries: a test takes one of its own.</param>
    /// <param name="schema">Nor do replicas of another schema.</param>
    /// <param name="redisTimeout"><c>Cache:RedisTimeout</c>; null: the suite's.</param>
    /// <param name="lockLifetime"><c>Cache:LockLifetime</c>; null: the suite's.</param>
    /// <param name="store">What to put in front of the store that entries are read from and written to; null for nothing.</param>
    /// <param name="clock">Its clock; null for the system's.</param>
    public static async Task<CacheReplica> StartAsync(
        string redis,
        string account = "account",
        string schema = "1",
        TimeSpan? redisTimeout = null,
        TimeSpan? lockLifetime = null,
        Func<IDistributedCache, IDistributedCache>? store = null,
        TimeProvider? clock = null)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(SuiteSettings.Defaults!)
            .AddInMemoryCollection(redisTimeout is null ? [] : [new("Cache:RedisTimeout", redisTimeout.ToString())])
            .AddInMemoryCollection(lockLifetime is null ? [] : [new("Cache:LockLifetime", lockLifetime.ToString())])
            .AddInMemoryCollection([new("ConnectionStrings:Redis", redis)])
            .Build());
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton(clock ?? TimeProvider.System);
        services.AddSingleton<MonotonicClock>();
        services.AddSingleton(new RedisKeyspace(account, "dialect", schema));
        services.AddSingleton(GenerationFreshness.LimitsOf(new FreshnessOptions()));
        services.AddRedis();
        services.AddResponseCache();
        if (store is not null)
        {
            var real = services.Single(service => service.ServiceType == typeof(IDistributedCache)).ImplementationType!;
            services.AddSingleton(provider => store((IDistributedCache)ActivatorUtilities.CreateInstance(provider, real)));
        }

        var replica = new CacheReplica(services.BuildServiceProvider());
        foreach (var service in replica._services.GetServices<IHostedService>())
        {
            await service.StartAsync(TestContext.Current.CancellationToken);
        }

        return replica;
    }

    /// <summary>An answer as an origin gives it.</summary>
    public static CacheEntry Entry(GenerationId key, EntryKind kind, string body)
    {
        var now = TimeProvider.System.GetUtcNow();
        var freshUntil = now + (kind is EntryKind.Final ? TimeSpan.FromHours(1) : TimeSpan.FromSeconds(1));
        return new CacheEntry(key, kind, Encoding.UTF8.GetBytes(body), now, freshUntil, freshUntil);
    }

    /// <summary>The body answered; the origin gives <paramref name="entry"/> where it is asked at all.</summary>
    public async Task<string> ReadAsync(GenerationId key, Func<Task<CacheEntry>> entry)
    {
        var origin = new Origin((_, _, _) => entry(), TimeSpan.FromMinutes(2));
        var answer = await Cache.GetAsync(key, origin, "request", TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString((answer.Entry ?? throw answer.Fault!).Body);
    }

    public Task<string> ReadAsync(GenerationId key, EntryKind kind, string body) => ReadAsync(key, () => Task.FromResult(Entry(key, kind, body)));

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }
}
