using System.Globalization;
using System.Diagnostics.Metrics;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Tests.Caching;

/// <summary>
/// The cache of one replica with the services of the product, a fake origin, a fake clock and an optional fake Redis. Other tests do not construct
/// a cache themselves.
/// </summary>
internal sealed class CacheUnderTest : IAsyncDisposable
{
    public static readonly TimeSpan RedisTimeout = new RedisResilienceOptions().RedisTimeout;
    public static readonly TimeSpan StaleAfter = new CacheOptions().StaleIfErrorAfter;
    public static readonly TimeSpan RetryPause = new CacheOptions().StaleIfErrorRetry;
    public static readonly TimeSpan MemoryLifetime = new CacheOptions().MemoryLifetime;

    /// <summary>The lifetime of a lock, in the time of the fake clock.</summary>
    public static readonly TimeSpan LockLifetime = TimeSpan.FromSeconds(30);

    /// <summary>Limits above the freshness of every entry in the tests.</summary>
    public static readonly EntryLimits Limits = new(
        Final: TimeSpan.FromDays(30), Interim: TimeSpan.FromSeconds(30), NotFound: TimeSpan.FromSeconds(2), Stale: TimeSpan.FromDays(30));

    private readonly ServiceProvider _services;

    private CacheUnderTest(ServiceProvider services) => (_services, Cache) = (services, services.GetRequiredService<ResponseCache>());

    public ResponseCache Cache { get; }

    public MemoryTier Memory => _services.GetRequiredService<MemoryTier>();

    public RedisTier Redis => _services.GetRequiredService<RedisTier>();

    public IntervalLock Interval => _services.GetRequiredService<IntervalLock>();

    public ReplicaBus Bus => _services.GetRequiredService<ReplicaBus>();

    public RedisState RedisState => _services.GetRequiredService<RedisState>();

    public FakeOrigin Origin => _services.GetRequiredService<FakeOrigin>();

    /// <summary>Creates a cache without starting its background services.</summary>
    public static CacheUnderTest Create(WaitingClock clock, FakeRedis? redis = null, params IEnumerable<(string Key, string Value)> settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["ConnectionStrings:Redis"] = redis is null ? "" : "redis.test",
                ["Cache:LockLifetime"] = $"{LockLifetime}",
            })
            .AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)))
            .Build());
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton<TimeProvider>(clock);
        services.AddSingleton<MonotonicClock>();
        services.AddSingleton(new RedisKeyspace("account", "dialect", "1"));
        services.AddSingleton(Limits);
        services.AddSingleton<FakeOrigin>();
        services.AddSingleton<IEntrySource>(provider => provider.GetRequiredService<FakeOrigin>());
        services.AddRedis();
        services.AddResponseCache();
        if (redis is not null)
        {
            services.AddSingleton<IDistributedCache>(redis);
            services.AddSingleton(provider => new RedisConnection(
                provider.GetRequiredService<IOptions<RedisOptions>>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RedisConnection>>())
            {
                Connect = _ => Task.FromResult(redis.Connect()),
            });
        }

        return new CacheUnderTest(services.BuildServiceProvider());
    }

    /// <summary>Creates a cache and starts its background services: Redis is warmed up and the messages of other replicas are received.</summary>
    public static async Task<CacheUnderTest> StartAsync(WaitingClock clock, FakeRedis? redis = null, params IEnumerable<(string Key, string Value)> settings)
    {
        var cache = Create(clock, redis, settings);
        await cache.StartAsync();
        return cache;
    }

    public async Task StartAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StartAsync(TestContext.Current.CancellationToken).WithTimeout();
            if (service is BackgroundService { ExecuteTask: { } subscribing })
            {
                await subscribing.WithTimeout();
            }
        }
    }

    /// <summary>Reads the key. The cache fetches from the origin on a miss.</summary>
    public Task<CacheResult> ReadAsync(GenerationId? key = null, CancellationToken? token = null) =>
        Cache.GetAsync(key ?? Entries.Key, new FetchRequest("request"), token ?? TestContext.Current.CancellationToken).AsTask().WithTimeout();

    /// <summary>Reads an entry that is newer than <paramref name="outdated"/>.</summary>
    public Task<CacheResult> RenewAsync(CacheEntry outdated) =>
        Cache.RenewAsync(outdated, new FetchRequest("renewal"), TestContext.Current.CancellationToken).WithTimeout();

    /// <summary>Reads the key. An interim entry is used if it was requested at <paramref name="notBefore"/> or later, fresh or not.</summary>
    public Task<CacheResult> RefreshAsync(DateTimeOffset notBefore) => Cache.RefreshAsync(Entries.Key, new FetchRequest("refresh"), notBefore).WithTimeout();

    /// <summary>One fill without other callers. <paramref name="accepts"/> decides whether an entry in the cache is used.</summary>
    public Task<CacheResult> FillAsync(Func<CacheEntry, bool> accepts) => new SingleFlight<CacheResult>()
        .JoinOrStart(Entries.Key, fetch => _services.GetRequiredService<CacheFill>().FillAsync(fetch, new FetchRequest("fill"), (entry, now) => entry.IsFreshBeforeRefresh(now) && accepts(entry)), out _)
        .Completion.WithTimeout();

    /// <summary>The connection that the product's <see cref="IDistributedCache"/> would use.</summary>
    public Task<IConnectionMultiplexer> StoreConnectionAsync() =>
        _services.GetRequiredService<IOptions<RedisCacheOptions>>().Value.ConnectionMultiplexerFactory!().WithTimeout();

    /// <summary>Initializes the time series of the cache, as the start of the service does.</summary>
    public void InitializeSeries() => _services.GetRequiredService<CacheMetrics>().Initialize();

    /// <summary>Collects the measurements of an instrument of the cache from now on.</summary>
    public MetricCollector<T> Collect<T>(string name)
        where T : struct => new(_services.GetRequiredService<IMeterFactory>(), Instrumentation.Name, $"luma_gateway.cache.{name}");

    /// <summary>Collects the number of dropped messages from now on.</summary>
    public MetricCollector<long> CollectRejected() => new(_services.GetRequiredService<IMeterFactory>(), Instrumentation.Name, "luma_gateway.redis.rejected");

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }

    /// <summary>Takes steps in Redis that succeed, so that the next two failures do not open a circuit breaker.</summary>
    public async Task SucceedInRedisAsync()
    {
        for (var index = 0; index < 4; index++)
        {
            var attempt = await Redis.TryAcquireLockAsync(GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"other-{index}"), null)).WithTimeout();
            attempt.Lock!.Dispose();
        }
    }
}
