using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Proxy.Idempotency;
using StackExchange.Redis;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>
/// Sends creates with different keys to a replica group, repeats each on other replicas under other spellings of its path, and deletes their records in Redis.
/// The seed determines all random numbers, but not the order of events. Thread-safe.
/// </summary>
internal sealed class KeyedCreates(ReplicaGroup group, RedisServer redis, int seed)
{
    private const int Concurrency = 32;

    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly ConcurrentDictionary<string, KeyedCreate> _all = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly ConcurrentDictionary<string, int> _evicted = new();
    private int _started;

    public IReadOnlyCollection<KeyedCreate> All => [.. _all.Values];

    /// <summary>The failures.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>The number of started creates.</summary>
    public int Started => Volatile.Read(ref _started);

    /// <summary>The number of evictions of the record of a create.</summary>
    public int EvictionsOf(KeyedCreate create) => _evicted.GetValueOrDefault(RecordOf(create));

    /// <summary>The number of evictions that Redis has reported.</summary>
    public int Evictions => _evicted.Values.Sum();

    public void AddFailure(string text) => _failures.Enqueue(text);

    /// <summary>Subscribes to the evictions. Fails if the Redis key of a record differs from the expected one.</summary>
    public async Task StartAsync()
    {
        var probe = new KeyedCreate("done-probe");
        Assert.Equal(CreateResult.Sent, await SendAsync(probe, 0, new Random(seed)));
        Assert.Equal(RecordOf(probe), Assert.Single(await redis.KeysAsync("luma-gateway:{ledger}:create:*")));

        await redis.ExecuteAsync("CONFIG", "SET", "notify-keyspace-events", "Ee");
        var subscriber = (await redis.DataAsync()).Multiplexer.GetSubscriber();
        await subscriber.SubscribeAsync(RedisChannel.Literal("__keyevent@0__:evicted"), (_, key) => _evicted.AddOrUpdate(key.ToString(), 1, (_, times) => times + 1));
    }

    /// <summary>Runs this many new creates, some of them concurrently.</summary>
    public Task RunAsync(string kind, int from, int count, Func<KeyedCreate, Random, Task> runAsync) => Parallel.ForEachAsync(
        Enumerable.Range(from, count),
        new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = TestContext.Current.CancellationToken },
        async (number, _) =>
        {
            var random = new Random((seed * 100_003) + number);
            var create = _all.GetOrAdd($"done-{kind}-{number}", id => new KeyedCreate(id));
            Interlocked.Increment(ref _started);
            await runAsync(create, random);
        });

    /// <summary>Sends a create, in half of the cases twice concurrently, and repeats it on another replica.</summary>
    public async Task RepeatAsync(KeyedCreate create, Random random)
    {
        var replica = random.Next(group.Replicas.Count);
        var sending = SendAsync(create, replica, random);
        if (random.Next(2) == 0)
        {
            await SendAsync(create, replica + 1, random);
        }

        await sending;
        await SendAsync(create, replica + 2, random);
    }

    /// <summary>As <see cref="RepeatAsync"/>, but the record is deleted while the create runs.</summary>
    public async Task DeleteWhileRunningAsync(KeyedCreate create, Random random)
    {
        var replica = random.Next(group.Replicas.Count);
        var hasRepetition = random.Next(2) == 0;
        var sending = SendAsync(create, replica, random);
        create.Loss = await DeleteAsync(create, sending);
        if (create.Loss is RecordLoss.WhileRunning && hasRepetition)
        {
            create.Loss = RecordLoss.WhileRunningWithRepetition;
            await SendAsync(create, replica + 1, random);
        }

        if (await sending is CreateResult.Sent && create.Loss is not RecordLoss.AfterCompletion)
        {
            await AssertKnownAsync(create, replica + 2, random);
        }
    }

    /// <summary>Sends a create, deletes the record after its end, and repeats it.</summary>
    public async Task DeleteAfterItsEndAsync(KeyedCreate create, Random random)
    {
        var replica = random.Next(group.Replicas.Count);
        var sending = SendAsync(create, replica, random);
        await sending;
        create.Loss = await DeleteAsync(create, sending);
        if (await SendAsync(create, replica + 1, random) is CreateResult.Sent)
        {
            await AssertKnownAsync(create, replica + 2, random);
        }
    }

    /// <summary>Repeats a create with an existing record. The gateway must not send it again.</summary>
    public async Task AssertKnownAsync(KeyedCreate create, int replica, Random random)
    {
        if (await SendAsync(create, replica, random) is CreateResult.Sent)
        {
            AddFailure($"{create.Id} ({create.Loss}) was sent again although its record exists: {string.Join(' ', create.Results)}");
        }
    }

    /// <summary>Sends or repeats a create under a random spelling of its path.</summary>
    /// <param name="create">The create.</param>
    /// <param name="replica">The number of the replica, modulo the number of replicas.</param>
    /// <param name="random">Chooses the spelling. It is used before the first await.</param>
    public async Task<CreateResult> SendAsync(KeyedCreate create, int replica, Random random)
    {
        var replicaProcess = group.Replicas[replica % group.Replicas.Count];
        var address = new Uri(replicaProcess.Address.GetLeftPart(UriPartial.Authority) + Spelled(create.Id, random.Next(4)), AsWritten);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = JsonContent.Create(new { prompt = create.Id }) };
        request.Headers.Add("Idempotency-Key", create.Id);
        try
        {
            using var response = await replicaProcess.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var result = create.Add(response, body);
            if (result is CreateResult.Unexpected)
            {
                AddFailure($"{create.Id} got {(int)response.StatusCode} {body}");
            }

            return result;
        }
        catch (HttpRequestException)
        {
            return create.Add(CreateResult.NoResponse);
        }
    }

    private static string Spelled(string id, int spelling) => spelling switch
    {
        0 => $"/luma/generations/{id}/extend",
        1 => $"/luma/generations/{id}/extend/",
        2 => $"/Luma/GENERATIONS/{id}/Extend",
        _ => $"/luma/%67enerations/%64{id[1..]}/%65xtend/",
    };

    private static string RecordOf(KeyedCreate create)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"system-tests\n/luma/generations/{create.Id}/extend\n{create.Id}"));
        return $"luma-gateway:{{ledger}}:create:2:sandbox:relay:{Convert.ToHexStringLower(digest)}";
    }

    /// <summary>Deletes the record as soon as it exists. Returns whether the create ran at that time.</summary>
    private async Task<RecordLoss> DeleteAsync(KeyedCreate create, Task sending)
    {
        var database = await redis.DataAsync();
        for (var last = false; ; last = sending.IsCompleted)
        {
            if (await database.StringGetDeleteAsync(RecordOf(create)) is { IsNull: false } record)
            {
                return IdempotencyRecord.Deserialize(record!) is { Response: null, IsOutcomeUnknown: false } ? RecordLoss.WhileRunning : RecordLoss.AfterCompletion;
            }

            if (last)
            {
                return RecordLoss.None;
            }

            await Wait.ForAsync(TimeSpan.FromMilliseconds(5));
        }
    }
}
