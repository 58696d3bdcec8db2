using System.Globalization;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>
/// 10,000 creates with different <c>Idempotency-Key</c>s on three replicas with one Redis, while records are evicted and deleted and replicas are killed.
/// The sandbox counts the POSTs of each key on arrival. Needs redis-server.
/// </summary>
[TestClass(DisableParallelization = true)]
public sealed class KeyedCreateTests(ITestOutputHelper output)
{
    private const int Evictable = 1_500;
    private const int Deletable = 6_000;
    private const int Kills = 5;
    private const int PerKill = 500;

    /// <summary>The memory for records during the evictions: little more than the running creates need.</summary>
    private const int RecordBytes = 40 * 1024;

    private const string Rewritten = "[4302]";
    private const string ClaimedAgain = "[4303]";

    private readonly Dictionary<string, int> _linesOfKilledReplicas = [];

    [Theory]
    [InlineData(1)]
    public async Task A_create_is_sent_once_unless_its_record_is_lost(int seed)
    {
        RedisServer.Require();
        var started = TimeProvider.System.GetTimestamp();
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint, ("Passthrough:CreateTimeout", "00:00:20"), ("Logging:LogLevel:LumaGateway", "Warning"));
        foreach (var (kind, delay) in ((string, int)[])[("slow", 300), ("kill", 150), ("", 30)])
        {
            await group.Sandbox.AddFaultAsync(new SandboxFault("latency") { Delay = delay, Match = $"POST *done-{kind}" });
        }

        var creates = new KeyedCreates(group, redis, seed);
        await creates.StartAsync();

        var random = new Random(seed);
        await EvictAsync(group, redis, creates, random);
        await DeleteAsync(group, creates);
        await KillAsync(group, creates, random);
        await RepeatKnownCreatesAsync(group, creates, random);

        var posts = (await group.Sandbox.CountsAsync()).ById;
        Check(creates, posts);
        var results = creates.All.SelectMany(create => create.Results).CountBy(result => result).OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}");
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {creates.All.Count} keys in {elapsed.TotalSeconds:0} s; responses: {string.Join(", ", results)}"));
        output.WriteLine($"killed: {Kills} replicas; {creates.All.Count(create => IsInterrupted(create, posts))} creates reached the upstream and have no outcome");
        output.WriteLine($"second POSTs where the record could be kept: {creates.All.Count(create => SecondPosts(create, posts) > 0 && MustBeKept(creates, create))}; failures: {creates.Failures.Count}");
        Assert.Equal(Evictable + Deletable + (Kills * PerKill), creates.All.Count);
        Assert.True(creates.Failures.Count == 0, $"{creates.Failures.Count} failures, such as:\n{string.Join('\n', creates.Failures.Take(20))}");
    }

    private async Task EvictAsync(ReplicaGroup group, RedisServer redis, KeyedCreates creates, Random random)
    {
        var used = ValueIn((string)(await redis.ExecuteAsync("INFO", "memory"))!, "used_memory:");
        await redis.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", used + RecordBytes);
        await creates.RunAsync("slow-evict", 0, Evictable, creates.RepeatAsync);
        await redis.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", 0);
        await Wait.UntilAsync(
            async () => ValueIn((string)(await redis.ExecuteAsync("INFO", "stats"))!, "evicted_keys:") == creates.Evictions,
            () => $"The number of evicted keys in Redis is not {creates.Evictions}.");
        var before = (await group.Sandbox.CountsAsync()).ById;
        foreach (var create in creates.All.Take(Evictable / 5))
        {
            await creates.SendAsync(create, random.Next(group.Replicas.Count), random);
        }

        var posts = (await group.Sandbox.CountsAsync()).ById;
        output.WriteLine(
            $"evicted: {creates.Evictions} records, of {creates.All.Count(create => creates.EvictionsOf(create) > 0)} of {Evictable} keys; written again {LinesOf(group, Rewritten)}, " +
            $"claimed again {LinesOf(group, ClaimedAgain)}; second POSTs {creates.All.Sum(create => SecondPosts(create, before))} in the meantime, " +
            $"{creates.All.Sum(create => SecondPosts(create, posts) - SecondPosts(create, before))} more with {Evictable / 5} repetitions afterwards");
        Assert.NotEqual(0, creates.Evictions);
    }

    private async Task DeleteAsync(ReplicaGroup group, KeyedCreates creates)
    {
        var (rewritten, claimed) = (LinesOf(group, Rewritten), LinesOf(group, ClaimedAgain));
        await creates.RunAsync("slow", 0, Deletable / 4, creates.DeleteWhileRunningAsync);
        (rewritten, claimed) = (LinesOf(group, Rewritten) - rewritten, LinesOf(group, ClaimedAgain) - claimed);
        await creates.RunAsync("late", 0, Deletable / 8, creates.DeleteAfterItsEndAsync);
        await creates.RunAsync("plain", 0, Deletable - (Deletable / 4) - (Deletable / 8), creates.RepeatAsync);

        var posts = (await group.Sandbox.CountsAsync()).ById;
        var lost = creates.All.Where(WasLost).ToList();
        var repeated = lost.Where(create => create.Loss is RecordLoss.WhileRunningWithRepetition).ToList();
        var late = creates.All.Where(create => create.Loss is RecordLoss.AfterCompletion).ToList();
        var doubled = repeated.Sum(create => SecondPosts(create, posts));
        output.WriteLine($"deleted while running: {lost.Count} records, {repeated.Count} of them with a repetition in the meantime; written again {rewritten}, claimed again {claimed}; second POSTs {doubled}");
        output.WriteLine($"deleted after their end: {late.Count} records; second POSTs {late.Sum(create => SecondPosts(create, posts))}");
        if (rewritten + claimed != lost.Count || doubled > claimed)
        {
            creates.AddFailure($"{lost.Count} records were lost while their creates ran and {doubled} creates were sent twice, but {rewritten} were logged as written again and {claimed} as claimed again.");
        }
    }

    private async Task KillAsync(ReplicaGroup group, KeyedCreates creates, Random random)
    {
        for (var round = 0; round < Kills; round++)
        {
            var killedReplica = group.Replicas[random.Next(group.Replicas.Count)];
            var from = creates.Started;
            var running = creates.RunAsync("kill", round * PerKill, PerKill, creates.RepeatAsync);
            await Wait.UntilAsync(() => creates.Started >= from + (PerKill / 4), () => "No creates are sent.");
            killedReplica.Process.Kill();
            await running;
            foreach (var line in (string[])[Rewritten, ClaimedAgain])
            {
                _linesOfKilledReplicas[line] = _linesOfKilledReplicas.GetValueOrDefault(line) + CountIn(killedReplica.Log, line);
            }

            await group.ReplaceAsync(killedReplica);
        }
    }

    /// <summary>Repeats creates whose record was deleted while they ran, and interrupted creates. A repetition must find the record.</summary>
    private static async Task RepeatKnownCreatesAsync(ReplicaGroup group, KeyedCreates creates, Random random)
    {
        var posts = (await group.Sandbox.CountsAsync()).ById;
        foreach (var create in creates.All.Where(create => WasLost(create) || IsInterrupted(create, posts)))
        {
            await creates.AssertKnownAsync(create, random.Next(group.Replicas.Count), random);
        }
    }

    private static bool WasLost(KeyedCreate create) => create.Loss is RecordLoss.WhileRunning or RecordLoss.WhileRunningWithRepetition;

    /// <summary>Whether the upstream got the create and no response has its outcome.</summary>
    private static bool IsInterrupted(KeyedCreate create, IReadOnlyDictionary<string, long> posts) => !create.HasOutcome && posts.GetValueOrDefault(create.Id) > 0;

    private static void Check(KeyedCreates creates, IReadOnlyDictionary<string, long> posts)
    {
        foreach (var create in creates.All)
        {
            var sent = posts.GetValueOrDefault(create.Id);
            var limit = create.MaxPosts + creates.EvictionsOf(create);
            if (sent > limit || create.Results.Count(result => result is CreateResult.Sent) > sent || create.Generations > sent)
            {
                creates.AddFailure($"{create.Id} ({create.Loss}, evicted {creates.EvictionsOf(create)} times) was sent {sent} times: {string.Join(' ', create.Results)}");
            }
        }
    }

    private static bool MustBeKept(KeyedCreates creates, KeyedCreate create) => create.MaxPosts == 1 && creates.EvictionsOf(create) == 0;

    private static long SecondPosts(KeyedCreate create, IReadOnlyDictionary<string, long> posts) => Math.Max(0, posts.GetValueOrDefault(create.Id) - 1);

    private int LinesOf(ReplicaGroup group, string line) => _linesOfKilledReplicas.GetValueOrDefault(line) + group.Replicas.Sum(replica => CountIn(replica.Log, line));

    private static int CountIn(string log, string line) => log.Split(line).Length - 1;

    private static long ValueIn(string info, string field) =>
        long.Parse(info.Split('\n').Single(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..], CultureInfo.InvariantCulture);
}
