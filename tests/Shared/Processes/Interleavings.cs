using System.Globalization;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Redis;
using LumaGateway.Time;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LumaGateway.Tests.Shared.Processes;

/// <summary>
/// Three caches with one Redis. Each round runs reads, blocked fetches, list results, purges, deletions, lost locks and data losses of Redis on one key, in a random
/// order from a seed. The origin numbers its versions. A read that starts after a confirmed purge must not return an older version.
/// </summary>
internal sealed class Interleavings : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan AfterMemoryLifetime = new CacheOptions().MemoryLifetime + TimeSpan.FromSeconds(1);

    private readonly RedisServer _redis;
    private readonly OffsetClock _clock = new();
    private readonly ScriptedSource _source = new();
    private readonly List<ServiceProvider> _replicas = [];
    private readonly Random _random;

    private Interleavings(RedisServer redis, int seed) => (_redis, _random) = (redis, new Random(seed));

    /// <summary>The number of checked reads.</summary>
    public int Reads { get; private set; }

    /// <summary>The number of purges that Redis confirmed, with or without a message to the other replicas.</summary>
    public int Purges { get; private set; }

    /// <summary>Descriptions of reads that returned a version older than a purge that was confirmed before they started.</summary>
    public List<string> StaleReads { get; } = [];

    public static async Task<Interleavings> StartAsync(RedisServer redis, int seed)
    {
        var all = new Interleavings(redis, seed);
        for (var i = 0; i < 3; i++)
        {
            all._replicas.Add(await all.StartReplicaAsync());
        }

        return all;
    }

    public async Task RunAsync(int rounds)
    {
        for (var number = 0; number < rounds; number++)
        {
            await new Round(this, number).RunAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _replicas)
        {
            foreach (var service in replica.GetServices<IHostedService>())
            {
                await service.StopAsync(CancellationToken.None);
            }

            await replica.DisposeAsync();
        }
    }

    private async Task<ServiceProvider> StartReplicaAsync()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection([new("ConnectionStrings:Redis", _redis.Endpoint), new("Cache:RedisTimeout", "00:00:05")])
            .Build());
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton<TimeProvider>(_clock);
        services.AddSingleton<MonotonicClock>();
        services.AddSingleton(new RedisKeyspace("account", "dialect", "interleaved"));
        services.AddSingleton(GenerationFreshness.LimitsOf(new FreshnessOptions()));
        services.AddSingleton<IEntrySource>(_source);
        services.AddRedis();
        services.AddResponseCache();
        var replica = services.BuildServiceProvider();
        _ = replica.GetRequiredService<ResponseCache>();
        foreach (var service in replica.GetServices<IHostedService>())
        {
            await service.StartAsync(CancellationToken.None);
            if (service is ReplicaBus { ExecuteTask: { } subscribing })
            {
                await subscribing;
            }
        }

        return replica;
    }

    /// <summary>The steps on one key.</summary>
    private sealed class Round(Interleavings all, int number)
    {
        private readonly GenerationId _key = GenerationId.Parse($"subject-{number}", null);
        private readonly List<Task> _reading = [];
        private readonly List<TaskCompletionSource> _blocked = [];
        private readonly List<(ResponseCache Cache, CacheEntry Entry, long Purges)> _lists = [];
        private readonly List<string> _steps = [];
        private int _version = 1;
        private int _confirmed;
        private bool _hadSilentPurge;

        public async Task RunAsync()
        {
            for (var step = 0; step < 12; step++)
            {
                await StepAsync(all._random.Next(11));
            }

            await SettleAsync();
            Read(isBlocked: false);
            Read(isBlocked: false);
            await SettleAsync();
        }

        private ResponseCache Any() => all._replicas[all._random.Next(all._replicas.Count)].GetRequiredService<ResponseCache>();

        private async Task StepAsync(int step)
        {
            _steps.Add(step.ToString(CultureInfo.InvariantCulture));
            switch (step)
            {
                case 0 or 1:
                    Read(isBlocked: false);
                    break;
                case 2 or 3:
                    Read(isBlocked: true);
                    break;
                case 4:
                    Release();
                    break;
                case 5:
                    _version++;
                    await PurgeAsync();
                    break;
                case 6:
                    var cache = Any();
                    _lists.Add((cache, CurrentEntry(), cache.Purges));
                    break;
                case 7 when _lists.Count > 0:
                    var (holder, entry, purges) = _lists[^1];
                    _lists.RemoveAt(_lists.Count - 1);
                    await holder.PutAsync(entry, purges);
                    break;
                case 8:
                    await (await all._redis.DataAsync()).KeyDeleteAsync([.. await all._redis.KeysAsync($"*{{{_key.Value}}}:lock")]);
                    break;
                case 9 when !_hadSilentPurge: // without message and token no replica can detect the purge
                    await all._redis.ExecuteAsync("FLUSHALL");
                    break;
                case 10:
                    _version++;
                    await PurgeWithoutMessageAsync();
                    break;
            }
        }

        private void Read(bool isBlocked)
        {
            var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (isBlocked)
            {
                _blocked.Add(released);
            }
            else
            {
                released.SetResult();
            }

            _reading.Add(CheckReadAsync(Any(), released.Task, _confirmed, string.Join(' ', _steps)));
        }

        private async Task CheckReadAsync(ResponseCache cache, Task released, int atLeast, string steps)
        {
            var request = all._source.RequestFor(async () =>
            {
                var entry = CurrentEntry(); // the version at the start of the fetch
                await released;
                return entry;
            });
            var read = await cache.GetAsync(_key, request, CancellationToken.None);
            var version = read.Entry is { } entry ? int.Parse(Encoding.UTF8.GetString(entry.Body), CultureInfo.InvariantCulture) : int.MaxValue;
            lock (all.StaleReads)
            {
                all.Reads++;
                if (version < atLeast)
                {
                    all.StaleReads.Add($"Round {number}: version {version} after the purge of version {atLeast} ({read.Status}, {read.Tier}); steps {steps}");
                }
            }
        }

        /// <summary>Creates the entry of the current version. Every third version is a deletion.</summary>
        private CacheEntry CurrentEntry()
        {
            var now = all._clock.GetUtcNow();
            var kind = _version % 3 == 0 ? EntryKind.NotFound : EntryKind.Final;
            var fresh = now + (kind is EntryKind.Final ? TimeSpan.FromHours(1) : TimeSpan.FromSeconds(1));
            return new CacheEntry(_key, kind, Encoding.UTF8.GetBytes(_version.ToString(CultureInfo.InvariantCulture)), now, fresh, fresh);
        }

        private void Release()
        {
            if (_blocked.Count > 0)
            {
                var at = all._random.Next(_blocked.Count);
                _blocked[at].SetResult();
                _blocked.RemoveAt(at);
            }
        }

        private async Task PurgeAsync()
        {
            var caches = all._replicas.ConvertAll(replica => replica.GetRequiredService<ResponseCache>());
            var before = caches.ConvertAll(cache => cache.Purges);
            var purging = caches[all._random.Next(caches.Count)];
            await ConfirmAsync(() => purging.PurgeAsync(_key));
            await Wait.UntilAsync(
                () => Task.FromResult(caches.Select((cache, i) => cache.Purges - before[i] - (cache == purging ? 1 : 0)).All(received => received > 0)),
                Patience,
                () => "A replica did not receive the message of a purge.");
            all.Purges++;
            _confirmed = _version;
        }

        /// <summary>Purges in Redis without a message. It takes effect when the enattempts in memory must be verified.</summary>
        private async Task PurgeWithoutMessageAsync()
        {
            await SettleAsync();
            await ConfirmAsync(() => all._replicas[0].GetRequiredService<RedisTier>().PurgeAsync(_key));
            all._clock.Advance(AfterMemoryLifetime);
            all.Purges++;
            _hadSilentPurge = true;
            _confirmed = _version;
        }

        /// <summary>A busy machine may need several attempts.</summary>
        private static async Task ConfirmAsync(Func<Task<bool>> purge)
        {
            for (var attempts = 1; !await purge(); attempts++)
            {
                Assert.True(attempts < 20, "Redis does not confirm the purge.");
            }
        }

        private async Task SettleAsync()
        {
            while (_blocked.Count > 0)
            {
                Release();
            }

            await Task.WhenAll(_reading).WaitAsync(Patience);
            _reading.Clear();
        }
    }
}
