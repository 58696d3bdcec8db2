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
/// Three caches on one real Redis, and one key a round on which reads, held fetches, lists, purges, deletions, lost locks and a Redis that loses everything come in an
/// order drawn from a seed. The origin counts its versions; no read that begins after a confirmed purge may be told an older one.
/// </summary>
internal sealed class Interleavings : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PastMemory = new CacheOptions().MemoryLifetime + TimeSpan.FromSeconds(1);

    private readonly RedisServer _redis;
    private readonly OffsetClock _clock = new();
    private readonly List<ServiceProvider> _replicas = [];
    private readonly Random _random;

    private Interleavings(RedisServer redis, int seed) => (_redis, _random) = (redis, new Random(seed));

    /// <summary>Reads that were judged.</summary>
    public int Reads { get; private set; }

    /// <summary>Purges that Redis confirmed, told to the others or not.</summary>
    public int Purges { get; private set; }

    /// <summary>Reads that were told something older than a purge that had been confirmed before they began, in words.</summary>
    public List<string> TooOld { get; } = [];

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

    /// <summary>One key's life.</summary>
    private sealed class Round(Interleavings all, int number)
    {
        private readonly GenerationId _key = GenerationId.Parse($"subject-{number}", null);
        private readonly List<Task> _reading = [];
        private readonly List<TaskCompletionSource> _held = [];
        private readonly List<(ResponseCache Cache, CacheEntry Answer, long Purges)> _lists = [];
        private readonly List<string> _steps = [];
        private int _version = 1;
        private int _confirmed;
        private bool _wasSilent;

        public async Task RunAsync()
        {
            for (var step = 0; step < 12; step++)
            {
                await StepAsync(all._random.Next(11));
            }

            await SettleAsync();
            Read(isHeld: false);
            Read(isHeld: false);
            await SettleAsync();
        }

        private ResponseCache Any() => all._replicas[all._random.Next(all._replicas.Count)].GetRequiredService<ResponseCache>();

        private async Task StepAsync(int step)
        {
            _steps.Add(step.ToString(CultureInfo.InvariantCulture));
            switch (step)
            {
                case 0 or 1:
                    Read(isHeld: false);
                    break;
                case 2 or 3:
                    Read(isHeld: true);
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
                    _lists.Add((cache, Answer(), cache.Purges));
                    break;
                case 7 when _lists.Count > 0:
                    var (holder, answer, purges) = _lists[^1];
                    _lists.RemoveAt(_lists.Count - 1);
                    await holder.PutAsync(answer, purges);
                    break;
                case 8:
                    await (await all._redis.DataAsync()).KeyDeleteAsync([.. await all._redis.KeysAsync($"*{{{_key.Value}}}:lock")]);
                    break;
                case 9 when !_wasSilent: // what nobody heard of and Redis has lost, nobody can know
                    await all._redis.ExecuteAsync("FLUSHALL");
                    break;
                case 10:
                    _version++;
                    await PurgeInSilenceAsync();
                    break;
            }
        }

        private void Read(bool isHeld)
        {
            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (isHeld)
            {
                _held.Add(gate);
            }
            else
            {
                gate.SetResult();
            }

            _reading.Add(JudgeAsync(Any(), gate.Task, _confirmed, string.Join(' ', _steps)));
        }

        private async Task JudgeAsync(ResponseCache cache, Task gate, int atLeast, string steps)
        {
            var origin = new Origin(
                async (_, _, _) =>
                {
                    var answer = Answer(); // as the upstream has it when it is asked
                    await gate;
                    return answer;
                },
                Patience);
            var read = await cache.GetAsync(_key, origin, "request", CancellationToken.None);
            var told = read.Entry is { } entry ? int.Parse(Encoding.UTF8.GetString(entry.Body), CultureInfo.InvariantCulture) : int.MaxValue;
            lock (all.TooOld)
            {
                all.Reads++;
                if (told < atLeast)
                {
                    all.TooOld.Add($"Round {number}: version {told} after the purge of version {atLeast} ({read.Status}, {read.Tier}); steps {steps}");
                }
            }
        }

        /// <summary>Every third version says that there is no such subject: it was deleted.</summary>
        private CacheEntry Answer()
        {
            var now = all._clock.GetUtcNow();
            var kind = _version % 3 == 0 ? EntryKind.NotFound : EntryKind.Final;
            var fresh = now + (kind is EntryKind.Final ? TimeSpan.FromHours(1) : TimeSpan.FromSeconds(1));
            return new CacheEntry(_key, kind, Encoding.UTF8.GetBytes(_version.ToString(CultureInfo.InvariantCulture)), now, fresh, fresh);
        }

        private void Release()
        {
            if (_held.Count > 0)
            {
                var at = all._random.Next(_held.Count);
                _held[at].SetResult();
                _held.RemoveAt(at);
            }
        }

        private async Task PurgeAsync()
        {
            var caches = all._replicas.ConvertAll(replica => replica.GetRequiredService<ResponseCache>());
            var before = caches.ConvertAll(cache => cache.Purges);
            var purging = caches[all._random.Next(caches.Count)];
            await ConfirmAsync(() => purging.PurgeAsync(_key));
            await Wait.UntilAsync(
                () => Task.FromResult(caches.Select((cache, i) => cache.Purges - before[i] - (cache == purging ? 1 : 0)).All(heard => heard > 0)),
                Patience,
                () => "The word of a purge did not reach a replica.");
            all.Purges++;
            _confirmed = _version;
        }

        /// <summary>A purge whose word is lost: it counts once memory is no longer believed unseen.</summary>
        private async Task PurgeInSilenceAsync()
        {
            await SettleAsync();
            await ConfirmAsync(() => all._replicas[0].GetRequiredService<RedisTier>().PurgeAsync(_key));
            all._clock.Advance(PastMemory);
            all.Purges++;
            _wasSilent = true;
            _confirmed = _version;
        }

        /// <summary>A machine that is short of CPU may need more than one try.</summary>
        private static async Task ConfirmAsync(Func<Task<bool>> purge)
        {
            for (var tries = 1; !await purge(); tries++)
            {
                Assert.True(tries < 20, "Redis confirms no purge.");
            }
        }

        private async Task SettleAsync()
        {
            while (_held.Count > 0)
            {
                Release();
            }

            await Task.WhenAll(_reading).WaitAsync(Patience);
            _reading.Clear();
        }
    }
}
