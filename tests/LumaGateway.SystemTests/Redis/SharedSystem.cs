namespace LumaGateway.SystemTests.Redis;

/// <summary>
/// One Redis and three replicas with the suite's sandbox. The tests run concurrently: each uses its own ids, does not reset the sandbox's counts, and adds faults
/// only to its ids. A test that kills or breaks something starts its own replicas.
/// </summary>
[CollectionDefinition]
public sealed class SharedSystem(SharedSandbox sandbox) : IAsyncLifetime, ICollectionFixture<SharedSystem>
{
    private const string Account = "shared";

    /// <summary><c>Waiting:PollEvery</c> of the three replicas.</summary>
    internal static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(400);

    internal RedisServer Redis { get; private set; } = null!;

    internal SandboxProcess Sandbox { get; private set; } = null!;

    internal ReplicaGroup Group { get; private set; } = null!;

    /// <summary>A replica of another account, with a short <c>Cache:MemoryLifetime</c>.</summary>
    internal ReplicaGroup Other { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var redis = RedisServer.StartAsync();
        Sandbox = await sandbox.GetAsync();
        Redis = await redis;
        var other = StartAsync(1, "another-account", ("Cache:MemoryLifetime", "00:00:01"));
        Group = await StartAsync(
            3,
            Account,
            ("Luma:Retries", "0"), // one request per fetch, so that the counts are exact
            ("Waiting:PollEvery", PollEvery.ToString()),
            ("Waiting:PollFloor", "00:00:00.2"),
            ("Waiting:Longest", "00:10:00"));
        Other = await other;
    }

    /// <summary>Starts replicas of an account. Replicas of different accounts share nothing.</summary>
    internal async Task<ReplicaGroup> StartAsync(int replicas, string account, params (string Key, string Value)[] settings) => await RedisUse.WaitUntilUsedAsync(
        await ReplicaGroup.StartAsync(Sandbox, replicas, Redis.Endpoint, [("Luma:Name", account), .. settings]));

    /// <summary>Starts a replica that shares the entries of the three, and that a test can kill.</summary>
    internal Task<ReplicaGroup> StartBesideAsync(params (string Key, string Value)[] settings) => StartAsync(1, Account, settings);

    public async ValueTask DisposeAsync()
    {
        await Other.DisposeAsync();
        await Group.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
