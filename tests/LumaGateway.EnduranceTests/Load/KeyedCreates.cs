using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using LumaGateway.Proxy.Idempotency;
using StackExchange.Redis;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>
/// Sends creates with keys of their own through a group, each repeated on other replicas under other spellings of its path, and loses their records in Redis.
/// All that is drawn comes from the seed; the order of events is the machine's. Thread-safe.
/// </summary>
internal sealed class KeyedCreates(ReplicaGroup group, RedisServer redis, int seed)
{
    private const int AtOnce = 32;

    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly ConcurrentDictionary<string, KeyedCreate> _all = new();
    private readonly ConcurrentQueue<string> _wrong = new();
    private readonly ConcurrentDictionary<string, int> _evicted = new();
    private int _begun;

    public IReadOnlyCollection<KeyedCreate> All => [.. _all.Values];

    /// <summary>What must not be, in words.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    /// <summary>How many creates have begun.</summary>
    public int Begun => Volatile.Read(ref _begun);

    /// <summary>How often the record of a create was evicted.</summary>
    public int EvictionsOf(KeyedCreate create) => _evicted.GetValueOrDefault(RecordOf(create));

    /// <summary>All evictions that Redis told.</summary>
    public int Evictions => _evicted.Values.Sum();

    public void Complain(string text) => _wrong.Enqueue(text);

    /// <summary>Fails where records have another name than this class takes them to have. Follows evictions from now on.</summary>
    public async Task BeginAsync()
    {
        var probe = new KeyedCreate("done-probe");
        Assert.Equal(Reply.Sent, await SendAsync(probe, 0, new Random(seed)));
        Assert.Equal(RecordOf(probe), Assert.Single(await redis.KeysAsync("luma-gateway:create:*")));

        await redis.ExecuteAsync("CONFIG", "SET", "notify-keyspace-events", "Ee");
        var subscriber = (await redis.DataAsync()).Multiplexer.GetSubscriber();
        await subscriber.SubscribeAsync(RedisChannel.Literal("__keyevent@0__:evicted"), (_, key) => _evicted.AddOrUpdate(key.ToString(), 1, (_, times) => times + 1));
    }

    /// <summary>Runs this many new creates, some at once.</summary>
    public Task RunAsync(string kind, int from, int count, Func<KeyedCreate, Random, Task> story) => Parallel.ForEachAsync(
        Enumerable.Range(from, count),
        new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = TestContext.Current.CancellationToken },
        async (number, _) =>
        {
            var random = new Random((seed * 100_003) + number);
            var create = _all.GetOrAdd($"done-{kind}-{number}", id => new KeyedCreate(id));
            Interlocked.Increment(ref _begun);
            await story(create, random);
        });

    /// <summary>Sends a create, half of the time twice at once, and repeats it on another replica.</summary>
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
        var hasRival = random.Next(2) == 0;
        var sending = SendAsync(create, replica, random);
        create.Loss = await DeleteAsync(create, sending);
        if (create.Loss is RecordLoss.WhileRunning && hasRival)
        {
            create.Loss = RecordLoss.WhileRunningWithRival;
            await SendAsync(create, replica + 1, random);
        }

        if (await sending is Reply.Sent && create.Loss is not RecordLoss.AfterItsEnd)
        {
            await AssertKnownAsync(create, replica + 2, random);
        }
    }

    /// <summary>The record is deleted after the create has ended.</summary>
    public async Task DeleteAfterItsEndAsync(KeyedCreate create, Random random)
    {
        var replica = random.Next(group.Replicas.Count);
        var sending = SendAsync(create, replica, random);
        await sending;
        create.Loss = await DeleteAsync(create, sending);
        if (await SendAsync(create, replica + 1, random) is Reply.Sent)
        {
            await AssertKnownAsync(create, replica + 2, random);
        }
    }

    /// <summary>Repeats a create whose outcome was recorded, or which broke off after its record was written: nothing is sent.</summary>
    public async Task AssertKnownAsync(KeyedCreate create, int replica, Random random)
    {
        if (await SendAsync(create, replica, random) is Reply.Sent)
        {
            Complain($"{create.Id} ({create.Loss}) was sent again although its record was there: {string.Join(' ', create.Replies)}");
        }
    }

    /// <summary>Sends a create, or repeats it, under a spelling of its path that is drawn.</summary>
    /// <param name="create">The create.</param>
    /// <param name="replica">The replica, by any number.</param>
    /// <param name="random">Draws the spelling, before this method returns for the first time.</param>
    public async Task<Reply> SendAsync(KeyedCreate create, int replica, Random random)
    {
        var to = group.Replicas[replica % group.Replicas.Count];
        var address = new Uri(to.Address.GetLeftPart(UriPartial.Authority) + Spelled(create.Id, random.Next(4)), AsWritten);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = JsonContent.Create(new { prompt = create.Id }) };
        request.Headers.Add("Idempotency-Key", create.Id);
        try
        {
            using var response = await to.Client.SendAsync(request, TestContext.Current.CancellationToken);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            var reply = create.Add(response, body);
            if (reply is Reply.Wrong)
            {
                Complain($"{create.Id} was answered with {(int)response.StatusCode} {body}");
            }

            return reply;
        }
        catch (HttpRequestException)
        {
            return create.Add(Reply.None);
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
        var subject = SHA256.HashData(Encoding.UTF8.GetBytes($"system-tests\n/luma/generations/{create.Id}/extend\n{create.Id}"));
        return $"luma-gateway:create:2:sandbox:relay:{Convert.ToHexStringLower(subject)}";
    }

    /// <summary>Deletes the record as soon as there is one, and says whether the create ran at that moment.</summary>
    private async Task<RecordLoss> DeleteAsync(KeyedCreate create, Task sending)
    {
        var database = await redis.DataAsync();
        for (var last = false; ; last = sending.IsCompleted)
        {
            if (await database.StringGetDeleteAsync(RecordOf(create)) is { IsNull: false } record)
            {
                return IdempotencyRecord.Deserialize(record!) is { Response: null, IsOutcomeUnknown: false } ? RecordLoss.WhileRunning : RecordLoss.AfterItsEnd;
            }

            if (last)
            {
                return RecordLoss.None;
            }

            await Wait.ForAsync(TimeSpan.FromMilliseconds(5));
        }
    }
}
