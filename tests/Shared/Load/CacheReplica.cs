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

/// <summary>The cache without the rest of the gateway, in this process, with a real Redis. Tests can stop it between two steps.</summary>
internal sealed class CacheReplica : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly ScriptedSource _source;
    private readonly MeterListener _listener = new();
    private long _corrupt;

    private CacheReplica(ServiceProvider services)
    {
        _services = services;
        _source = services.GetRequiredService<ScriptedSource>();
        var meterFactory = services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name is "luma_gateway.cache.corrupt" && ReferenceEquals(instrument.Meter.Scope, meterFactory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref _corrupt, count));
        _listener.Start();
        Cache = services.GetRequiredService<ResponseCache>();
    }

    public ResponseCache Cache { get; }

    /// <summary>The number of corrupt entries in the metrics.</summary>
    public long Corrupt => Interlocked.Read(ref _corrupt);

    /// <param name="redis">The connection string.</param>
    /// <param name="account">Replicas with different accounts do not share entries. Each test uses its own account.</param>
    /// <param name="schema">Replicas with different schemas do not share entries.</param>
    /// <param name="redisTimeout"><c>Cache:RedisTimeout</c>; null for the default of the suite.</param>
    /// <param name="lockLifetime"><c>Cache:LockLifetime</c>; null for the default of the suite.</param>
    /// <param name="store">Wraps the store of entries; null for no wrapper.</param>
    /// <param name="clock">The clock; null for the system clock.</param>
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
        services.AddSingleton<ScriptedSource>();
        services.AddSingleton<IEntrySource>(static provider => provider.GetRequiredService<ScriptedSource>());
        services.AddRedis();
        services.AddResponseCache();
        if (store is not null)
        {
            var real = services.Single(service => service.ServiceType == typeof(IDistributedCache)).ImplementationType!;
            services.AddSingleton(provider => store((IDistributedCache)ActivatorUtilities.CreateInstance(provider, real)));
        }

        var replica = new CacheReplica(services.BuildServiceProvider());
        foreach (var service in replica._services.GetServices<IHostedService>().Where(service => service is not EvictionPolicyCheck)) // it uses the connection of the ledger
        {
            await service.StartAsync(TestContext.Current.CancellationToken);
        }

        return replica;
    }

    /// <summary>Creates an entry like the source.</summary>
    public static CacheEntry Entry(GenerationId key, EntryKind kind, string body)
    {
        var now = TimeProvider.System.GetUtcNow();
        var freshUntil = now + (kind is EntryKind.Final ? TimeSpan.FromHours(1) : TimeSpan.FromSeconds(1));
        return new CacheEntry(key, kind, Encoding.UTF8.GetBytes(body), now, freshUntil, freshUntil);
    }

    /// <summary>A request that gets the entry if it starts a fetch.</summary>
    public FetchRequest RequestFor(Func<Task<CacheEntry>> entry) => _source.RequestFor(entry);

    /// <summary>Reads the body through the cache; on a miss the source returns <paramref name="entry"/>.</summary>
    public async Task<string> ReadAsync(GenerationId key, Func<Task<CacheEntry>> entry)
    {
        var result = await Cache.GetAsync(key, RequestFor(entry), TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString((result.Entry ?? throw result.Fault!).Body);
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
