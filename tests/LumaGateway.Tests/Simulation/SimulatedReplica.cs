using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Reflection;
using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Callbacks;
using LumaGateway.Contracts;
using LumaGateway.Creating;
using LumaGateway.Generations;
using LumaGateway.Jobs;
using LumaGateway.LongPolling;
using LumaGateway.Polling;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Redis;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Simulation;

/// <summary>One replica of the product's cache, polling, account, Redis and idempotency classes, with the simulated clock, Redis and upstream.</summary>
internal sealed class SimulatedReplica : IDisposable
{
    private const BindingFlags Private = BindingFlags.Instance | BindingFlags.NonPublic;

    private static readonly FieldInfo Woken = typeof(UpstreamPoller).GetField("_woken", Private)!;

    private static readonly FieldInfo LastPlace = typeof(WaitingCreates).GetField("_last", Private)!;

    private readonly ServiceProvider _services;
    private readonly UpstreamPoller _poller;
    private readonly ConcurrentDictionary<string, WaitingCreates> _queues;
    private readonly Dictionary<string, List<(Task Place, bool FreesNext)>> _places = [];

    public SimulatedReplica(SimulatedProcess process, SimulationScheduler scheduler, FakeRedis redis, SimulatedUpstream upstream, SimulatedSource source, IReadOnlyDictionary<string, string?> settings)
    {
        Process = process;
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton<TimeProvider>(scheduler);
        services.AddSingleton<MonotonicClock>();
        services.AddSingleton<IHostApplicationLifetime, ApplicationLifetime>();
        services.AddRedis();
        services.AddResponseCache();
        services.AddUpstreams();
        services.AddGenerations();
        services.AddLongPolling();
        services.AddSingleton(Options.Create(new PassthroughOptions()));
        services.AddIdempotency();
        services.AddJobs();
        services.AddGatewayMetrics<ProxyMetrics>();
        services.AddSingleton<CreateJobs>();
        services.AddSingleton(Options.Create(new AccessOptions()));
        services.AddSingleton<RecentOwners>();
        services.AddSingleton<Ownership>();
        services.AddCallbacks();
        services.AddCreating();
        services.AddSingleton<IHttpMessageHandlerFactory>(upstream);
        services.AddSingleton(provider => source.Of(provider.GetRequiredService<GenerationSource>()));
        services.AddSingleton<IDistributedCache>(redis);
        services.AddSingleton(provider => new RedisConnection(provider.GetRequiredService<IOptions<RedisOptions>>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RedisConnection>>())
        {
            Connect = _ => Task.FromResult(redis.Connect()),
        });
        _services = services.BuildServiceProvider();
        Cache = _services.GetRequiredService<ResponseCache>();
        InFlight = InFlightOf(Cache);
        Source = _services.GetRequiredService<IEntrySource>();
        Reader = _services.GetRequiredService<GenerationReader>();
        LongPolls = _services.GetRequiredService<LongPollReader>();
        Targets = _services.GetRequiredService<PollTargets>();
        Waiters = _services.GetRequiredService<WaiterRegistry>();
        _poller = _services.GetRequiredService<UpstreamPoller>();
        Creates = _services.GetRequiredService<CreatePipeline>();
        _queues = (ConcurrentDictionary<string, WaitingCreates>)typeof(JobSlots).GetField("_waiting", Private)!.GetValue(_services.GetRequiredService<JobSlots>())!;
        Breakers = new BreakerCallbacks(_services.GetRequiredService<RedisResilience>());
    }

    public SimulatedProcess Process { get; }

    public ResponseCache Cache { get; }

    /// <summary>The source of the cache.</summary>
    public IEntrySource Source { get; }

    public GenerationReader Reader { get; }

    public LongPollReader LongPolls { get; }

    public PollTargets Targets { get; }

    public WaiterRegistry Waiters { get; }

    public CreatePipeline Creates { get; }

    public IServiceProvider Services => _services;

    public BreakerCallbacks Breakers { get; }

    /// <summary>The fetches in flight, by key.</summary>
    public ConcurrentDictionary<GenerationId, SingleFlight<CacheResult>.InFlightFetch> InFlight { get; }

    /// <summary>Starts the background services. BackgroundService.StartAsync would start them on the thread pool.</summary>
    public void Start(bool polls)
    {
        Execute(_services.GetRequiredService<ReplicaBus>());
        _ = _services.GetRequiredService<ChangeBroadcast>().StartAsync(CancellationToken.None);
        Execute(Waiters);
        if (polls)
        {
            Targets.Added += () => Wake.TrySetResult(); // as UpstreamPoller.StartAsync does
            Execute(_poller);
        }
    }

    /// <summary>Watches the tasks after which product code continues on the thread pool: Task.WaitAsync after a fetch, Task.WhenAny in the polling loop.</summary>
    public void Watch(ThreadPoolWork work)
    {
        foreach (var (_, fetch) in InFlight)
        {
            work.Watch(fetch.Completion);
        }

        work.Watch(Wake.Task);
    }

    /// <summary>
    /// Waits for the places in the queues of creates that the thread pool frees: a create that does not wait for the one before it gives its place up when that one has ended.
    /// </summary>
    public void AwaitPlaces()
    {
        foreach (var (account, queue) in _queues)
        {
            var places = _places.TryGetValue(account, out var known) ? known : _places[account] = [];
            var last = (Task)LastPlace.GetValue(queue)!;
            if (places.Count == 0 || places[^1].Place != last)
            {
                places.Add((last, false));
            }

            for (var index = 0; index < places.Count; index++)
            {
                var (place, frees) = places[index];
                places[index] = (place, frees || ThreadPoolWork.HasContinuation(place));
                if (frees && place.IsCompleted && !SpinWait.SpinUntil(() => places[index + 1].Place.IsCompleted, TimeSpan.FromMinutes(1)))
                {
                    throw new InvalidOperationException("The thread pool frees no place.");
                }
            }
        }
    }

    /// <summary>Records the final state of a job, as after a read. The queue before it would continue on the thread pool.</summary>
    public Task UpdateJobAsync(GenerationId id) => _services.GetRequiredService<JobStateUpdater>().TryUpdateAsync(id, JobState.Completed, null);

    /// <summary>Removes the metrics. The runtime keeps a list of all meters of the process, and each gateway of another test would search it.</summary>
    public void Dispose() => _services.GetRequiredService<IMeterFactory>().Dispose();

    private TaskCompletionSource Wake => (TaskCompletionSource)Woken.GetValue(_poller)!;

    private static void Execute(BackgroundService service) => service.GetType().GetMethod("ExecuteAsync", Private)!.Invoke(service, [CancellationToken.None]);

    private static ConcurrentDictionary<GenerationId, SingleFlight<CacheResult>.InFlightFetch> InFlightOf(ResponseCache cache)
    {
        var fetches = typeof(ResponseCache).GetField("_fetches", Private)!.GetValue(cache)!;
        return (ConcurrentDictionary<GenerationId, SingleFlight<CacheResult>.InFlightFetch>)fetches.GetType().GetField("_inFlight", Private)!.GetValue(fetches)!;
    }
}
