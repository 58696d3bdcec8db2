using System.Globalization;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>
/// 10,000 creates with an <c>Idempotency-Key</c> each, over three replicas whose ledger is one Redis, while records are evicted and deleted and replicas are killed.
/// The sandbox counts the POSTs of each key on arrival. Needs redis-server.
/// </summary>
[TestClass(DisableParallelization = true)]
public sealed class KeyedCreateTests(ITestOutputHelper output)
{
    private const int Evictable = 1_500;
    private const int Deletable = 6_000;
    private const int Kills = 5;
    private const int PerKill = 500;

    /// <summary>The room that Redis has for records while it evicts: hardly more than those of the creates that run.</summary>
    private const int RoomBytes = 40 * 1024;

    private const string Rewritten = "[4302]";
    private const string ClaimedAnew = "[4303]";

    private readonly Dictionary<string, int> _linesOfTheKilled = [];

    [Theory]
    [InlineData(1)]
    public async Task No_create_is_sent_twice_while_its_record_can_be_kept(int seed)
    {
        RedisServer.Require();
        var begun = TimeProvider.System.GetTimestamp();
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint, ("Passthrough:CreateTimeout", "00:00:20"), ("Logging:LogLevel:LumaGateway", "Warning"));
        foreach (var (kind, delay) in ((string, int)[])[("slow", 300), ("kill", 150), ("", 30)])
        {
            await group.Sandbox.AddFaultAsync(new SandboxFault("latency") { Delay = delay, Match = $"POST *done-{kind}" });
        }

        var creates = new KeyedCreates(group, redis, seed);
        await creates.BeginAsync();

        var random = new Random(seed);
        await EvictAsync(group, redis, creates, random);
        await DeleteAsync(group, creates);
        await KillAsync(group, creates, random);
        await RepeatWhatIsKnownAsync(group, creates, random);

        var posts = (await group.Sandbox.CountsAsync()).ById;
        Judge(creates, posts);
        var replies = creates.All.SelectMany(create => create.Replies).CountBy(reply => reply).OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}");
        var elapsed = TimeProvider.System.GetElapsedTime(begun);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}: {creates.All.Count} keys in {elapsed.TotalSeconds:0} s; responses: {string.Join(", ", replies)}"));
        output.WriteLine($"killed: {Kills} replicas; {creates.All.Count(create => IsBroken(create, posts))} creates reached the upstream and left no outcome");
        output.WriteLine($"second POSTs where the record could be kept: {creates.All.Count(create => SecondPosts(create, posts) > 0 && IsKept(creates, create))}; wrong: {creates.Wrong.Count}");
        Assert.Equal(Evictable + Deletable + (Kills * PerKill), creates.All.Count);
        Assert.True(creates.Wrong.Count == 0, $"{creates.Wrong.Count} faults, such as:\n{string.Join('\n', creates.Wrong.Take(20))}");
    }

    private async Task EvictAsync(ReplicaGroup group, RedisServer redis, KeyedCreates creates, Random random)
    {
        var used = ValueIn((string)(await redis.ExecuteAsync("INFO", "memory"))!, "used_memory:");
        await redis.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", used + RoomBytes);
        await creates.RunAsync("slow-evict", 0, Evictable, creates.RepeatAsync);
        await redis.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", 0);
        await Wait.UntilAsync(
            async () => ValueIn((string)(await redis.ExecuteAsync("INFO", "stats"))!, "evicted_keys:") == creates.Evictions,
            () => $"Redis evicted another number of keys than {creates.Evictions}.");
        var before = (await group.Sandbox.CountsAsync()).ById;
        foreach (var create in creates.All.Take(Evictable / 5))
        {
            await creates.SendAsync(create, random.Next(group.Replicas.Count), random);
        }

        var posts = (await group.Sandbox.CountsAsync()).ById;
        output.WriteLine(
            $"evicted: {creates.Evictions} records, of {creates.All.Count(create => creates.EvictionsOf(create) > 0)} of {Evictable} keys; written again {LinesOf(group, Rewritten)}, " +
            $"claimed anew {LinesOf(group, ClaimedAnew)}; second POSTs {creates.All.Sum(create => SecondPosts(create, before))} meanwhile, " +
            $"{creates.All.Sum(create => SecondPosts(create, posts) - SecondPosts(create, before))} more with {Evictable / 5} repetitions afterwards");
        Assert.NotEqual(0, creates.Evictions);
    }

    private async Task DeleteAsync(ReplicaGroup group, KeyedCreates creates)
    {
        var (rewritten, claimed) = (LinesOf(group, Rewritten), LinesOf(group, ClaimedAnew));
        await creates.RunAsync("slow", 0, Deletable / 4, creates.DeleteWhileRunningAsync);
        (rewritten, claimed) = (LinesOf(group, Rewritten) - rewritten, LinesOf(group, ClaimedAnew) - claimed);
        await creates.RunAsync("late", 0, Deletable / 8, creates.DeleteAfterItsEndAsync);
        await creates.RunAsync("plain", 0, Deletable - (Deletable / 4) - (Deletable / 8), creates.RepeatAsync);

        var posts = (await group.Sandbox.CountsAsync()).ById;
        var lost = creates.All.Where(WasLost).ToList();
        var rivals = lost.Where(create => create.Loss is RecordLoss.WhileRunningWithRival).ToList();
        var late = creates.All.Where(create => create.Loss is RecordLoss.AfterItsEnd).ToList();
        var doubled = rivals.Sum(create => SecondPosts(create, posts));
        output.WriteLine($"deleted while running: {lost.Count} records, {rivals.Count} of them with a repetition meanwhile; written again {rewritten}, claimed anew {claimed}; second POSTs {doubled}");
        output.WriteLine($"deleted after their end: {late.Count} records; second POSTs {late.Sum(create => SecondPosts(create, posts))}");
        if (rewritten + claimed != lost.Count || doubled > claimed)
        {
            creates.Complain($"{lost.Count} records were lost while their creates ran and {doubled} creates were sent twice, but {rewritten} were logged as written again and {claimed} as claimed anew.");
        }
    }

    private async Task KillAsync(ReplicaGroup group, KeyedCreates creates, Random random)
    {
        for (var round = 0; round < Kills; round++)
        {
            var victim = group.Replicas[random.Next(group.Replicas.Count)];
            var from = creates.Begun;
            var running = creates.RunAsync("kill", round * PerKill, PerKill, creates.RepeatAsync);
            await Wait.UntilAsync(() => creates.Begun >= from + (PerKill / 4), () => "No creates are sent.");
            victim.Process.Kill();
            await running;
            foreach (var line in (string[])[Rewritten, ClaimedAnew])
            {
                _linesOfTheKilled[line] = _linesOfTheKilled.GetValueOrDefault(line) + CountIn(victim.Log, line);
            }

            await group.ReplaceAsync(victim);
        }
    }

    /// <summary>Records that were lost while their creates ran, and those of creates that broke off: a later repetition finds them.</summary>
    private static async Task RepeatWhatIsKnownAsync(ReplicaGroup group, KeyedCreates creates, Random random)
    {
        var posts = (await group.Sandbox.CountsAsync()).ById;
        foreach (var create in creates.All.Where(create => WasLost(create) || IsBroken(create, posts)))
        {
            await creates.AssertKnownAsync(create, random.Next(group.Replicas.Count), random);
        }
    }

    private static bool WasLost(KeyedCreate create) => create.Loss is RecordLoss.WhileRunning or RecordLoss.WhileRunningWithRival;

    /// <summary>Whether the upstream got it and nobody its outcome.</summary>
    private static bool IsBroken(KeyedCreate create, IReadOnlyDictionary<string, long> posts) => !create.HasOutcome && posts.GetValueOrDefault(create.Id) > 0;

    private static void Judge(KeyedCreates creates, IReadOnlyDictionary<string, long> posts)
    {
        foreach (var create in creates.All)
        {
            var sent = posts.GetValueOrDefault(create.Id);
            var most = create.MostPosts + creates.EvictionsOf(create);
            if (sent > most || create.Replies.Count(reply => reply is Reply.Sent) > sent || create.Generations > sent)
            {
                creates.Complain($"{create.Id} ({create.Loss}, evicted {creates.EvictionsOf(create)} times) was sent {sent} times: {string.Join(' ', create.Replies)}");
            }
        }
    }

    private static bool IsKept(KeyedCreates creates, KeyedCreate create) => create.MostPosts == 1 && creates.EvictionsOf(create) == 0;

    private static long SecondPosts(KeyedCreate create, IReadOnlyDictionary<string, long> posts) => Math.Max(0, posts.GetValueOrDefault(create.Id) - 1);

    private int LinesOf(ReplicaGroup group, string line) => _linesOfTheKilled.GetValueOrDefault(line) + group.Replicas.Sum(replica => CountIn(replica.Log, line));

    private static int CountIn(string log, string line) => log.Split(line).Length - 1;

    private static long ValueIn(string info, string field) =>
        long.Parse(info.Split('\n').Single(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..], CultureInfo.InvariantCulture);
}
