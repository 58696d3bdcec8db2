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
/// The cache of one replica, wired as the product wires it, with a fake origin, a fake clock and, where there is one, a fake Redis. The one place that
/// knows how the cache is put together.
/// </summary>
internal sealed class CacheUnderTest : IAsyncDisposable
{
    public static readonly TimeSpan RedisTimeout = new RedisResilienceOptions().RedisTimeout;
    public static readonly TimeSpan StaleAfter = new CacheOptions().CoverAfter;
    public static readonly TimeSpan RetryPause = new CacheOptions().CoverRetry;
    public static readonly TimeSpan MemoryLifetime = new CacheOptions().MemoryLifetime;

    /// <summary>The locks' life, which their library measures in real time: far away.</summary>
    public static readonly TimeSpan LockLifetime = TimeSpan.FromSeconds(30);

    /// <summary>Longer than any entry of a test is meant to be fresh.</summary>
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

    /// <summary>The cache, ready to be used but with none of its background work begun.</summary>
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
                provider.GetRequiredService<IOptions<RedisOptions>>(), provider.GetRequiredService<ILogger<RedisConnection>>())
            {
                Connect = _ => Task.FromResult(redis.Connect()),
            });
        }

        return new CacheUnderTest(services.BuildServiceProvider());
    }

    /// <summary>As <see cref="Create"/>, with the background work begun: Redis is warm, and other replicas are listened to.</summary>
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
            await service.StartAsync(TestContext.Current.CancellationToken).Soon();
            if (service is BackgroundService { ExecuteTask: { } subscribing })
            {
                await subscribing.Soon();
            }
        }
    }

    /// <summary>Reads the key, asking the origin where the cache has no answer. Waits as a caller does.</summary>
    public Task<CacheResult> ReadAsync(GenerationId? key = null, CancellationToken? token = null) =>
        Cache.GetAsync(key ?? Entries.Key, new FetchRequest("request"), token ?? TestContext.Current.CancellationToken).AsTask().Soon();

    /// <summary>As <see cref="ReadAsync"/>, but asks for something newer than an entry.</summary>
    public Task<CacheResult> RenewAsync(CacheEntry outdated) =>
        Cache.RenewAsync(outdated, new FetchRequest("renewal"), TestContext.Current.CancellationToken).Soon();

    /// <summary>As <see cref="ReadAsync"/>, but for an interim entry its age counts, not its freshness.</summary>
    public Task<CacheResult> RefreshAsync(DateTimeOffset notBefore) => Cache.RefreshAsync(Entries.Key, new FetchRequest("refresh"), notBefore).Soon();

    /// <summary>One fill without other callers. <paramref name="accepts"/> is called for each entry that the cache has.</summary>
    public Task<CacheResult> FillAsync(Func<CacheEntry, bool> accepts) => new SingleFlight<CacheResult>()
        .JoinOrStart(Entries.Key, fetch => _services.GetRequiredService<CacheFill>().FillAsync(fetch, new FetchRequest("fill"), (entry, now) => entry.IsFreshBeforeRefresh(now) && accepts(entry)), out _)
        .Completion.Soon();

    /// <summary>The connection that the product's own store of entries would use.</summary>
    public Task<IConnectionMultiplexer> StoreConnectionAsync() =>
        _services.GetRequiredService<IOptions<RedisCacheOptions>>().Value.ConnectionMultiplexerFactory!().Soon();

    /// <summary>Has the cache begin its series, as it does when the service starts.</summary>
    public void BeginSeries() => _services.GetRequiredService<CacheMetrics>().Initialize();

    /// <summary>Counts a counter from now on.</summary>
    public MetricCollector<T> Collect<T>(string name)
        where T : struct => new(_services.GetRequiredService<IMeterFactory>(), Instrumentation.Name, $"luma_gateway.cache.{name}");

    /// <summary>Counts the messages that are dropped from now on.</summary>
    public MetricCollector<long> CollectRejected() => new(_services.GetRequiredService<IMeterFactory>(), Instrumentation.Name, "luma_gateway.redis.rejected");

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StopAsync(CancellationToken.None);
        }

        await _services.DisposeAsync();
    }
}
