using System.Collections;
using System.Diagnostics.Metrics;
using System.Reflection;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Simulation;

/// <summary>One replica of the product's cache, Redis and idempotency classes, with the simulated clock, Redis and upstream.</summary>
internal sealed class SimulatedReplica : IDisposable
{
    public const string Account = "account";

    private const BindingFlags Private = BindingFlags.Instance | BindingFlags.NonPublic;

    private readonly ServiceProvider _services;

    public SimulatedReplica(SimulatedProcess process, SimulationScheduler scheduler, FakeRedis redis, IEntrySource source, TimeSpan memoryLifetime)
    {
        Process = process;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Redis"] = "redis.test", ["Cache:MemoryLifetime"] = $"{memoryLifetime}" })
            .Build());
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton<TimeProvider>(scheduler);
        services.AddSingleton<MonotonicClock>();
        services.AddSingleton(new RedisKeyspace(Account, "dialect", "1"));
        services.AddSingleton(CacheUnderTest.Limits);
        services.AddSingleton(source);
        services.AddRedis();
        services.AddResponseCache();
        services.AddSingleton<IDistributedCache>(redis);
        services.AddSingleton(provider => new RedisConnection(provider.GetRequiredService<IOptions<RedisOptions>>(), provider.GetRequiredService<ILogger<RedisConnection>>())
        {
            Connect = _ => Task.FromResult(redis.Connect()),
        });
        services.AddSingleton(Options.Create(new PassthroughOptions()));
        services.AddIdempotency();
        services.AddSingleton(new JobLimits(new Dictionary<string, SlotLimits> { [Account] = new(SimulatedUpstream.MaxConcurrentJobs, 0) }));
        services.AddJobs();
        _services = services.BuildServiceProvider();
        Cache = _services.GetRequiredService<ResponseCache>();
        Ledger = _services.GetRequiredService<IdempotencyLedger>();
        Slots = _services.GetRequiredService<JobSlots>();
        Breakers = new BreakerCallbacks(_services.GetRequiredService<RedisResilience>());
    }

    public SimulatedProcess Process { get; }

    public ResponseCache Cache { get; }

    public IdempotencyLedger Ledger { get; }

    public JobSlots Slots { get; }

    public BreakerCallbacks Breakers { get; }

    /// <summary>The fetches in flight, by key.</summary>
    public IDictionary InFlight
    {
        get
        {
            var fetches = typeof(ResponseCache).GetField("_fetches", Private)!.GetValue(Cache)!;
            return (IDictionary)fetches.GetType().GetField("_inFlight", Private)!.GetValue(fetches)!;
        }
    }

    /// <summary>Subscribes to the messages of the other replicas. BackgroundService would do it on the thread pool.</summary>
    public void Start() => typeof(ReplicaBus).GetMethod("ExecuteAsync", Private)!.Invoke(_services.GetRequiredService<ReplicaBus>(), [CancellationToken.None]);

    /// <summary>Records the final state of a job, as after a read. The queue before it would continue on the thread pool.</summary>
    public Task UpdateJobAsync(GenerationId id) => (Task)typeof(JobStateUpdater).GetMethod("UpdateAsync", Private)!.Invoke(_services.GetRequiredService<JobStateUpdater>(), [id, JobState.Completed, null])!;

    /// <summary>Removes the metrics. The runtime keeps a list of all meters of the process, and each gateway of another test would search it.</summary>
    public void Dispose() => _services.GetRequiredService<IMeterFactory>().Dispose();
}
