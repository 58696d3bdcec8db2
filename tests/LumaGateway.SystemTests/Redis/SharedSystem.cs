namespace LumaGateway.SystemTests.Redis;

/// <summary>
/// One Redis and three replicas in front of the suite's sandbox, for all tests that break nothing. The tests run side by side: each takes ids of its own,
/// and none forgets the sandbox's counts or breaks more than its own ids. A test that kills or breaks something starts replicas of its own.
/// </summary>
[CollectionDefinition]
public sealed class SharedSystem(SharedSandbox sandbox) : IAsyncLifetime, ICollectionFixture<SharedSystem>
{
    private const string Account = "shared";

    /// <summary><c>Waiting:PollEvery</c> of the three replicas.</summary>
    internal static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(400);

    internal RedisServer Redis { get; private set; } = null!;

    internal SandboxProcess Sandbox { get; private set; } = null!;

    internal Fleet Fleet { get; private set; } = null!;

    /// <summary>A replica of another account, which soon looks at Redis again.</summary>
    internal Fleet Other { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var redis = RedisServer.StartAsync();
        Sandbox = await sandbox.GetAsync();
        Redis = await redis;
        var other = StartAsync(1, "another-account", ("Cache:MemoryLifetime", "00:00:01"));
        Fleet = await StartAsync(
            3,
            Account,
            ("Luma:Retries", "0"), // one request a fetch, whatever comes of it: the counts are exact
            ("Waiting:PollEvery", PollEvery.ToString()),
            ("Waiting:PollFloor", "00:00:00.2"),
            ("Waiting:Longest", "00:10:00"));
        Other = await other;
    }

    /// <summary>Replicas of a test's own, which share this Redis with each other, and nothing with replicas of another account.</summary>
    internal async Task<Fleet> StartAsync(int replicas, string account, params (string Key, string Value)[] settings) => await RedisUse.UsedByAllAsync(
        await Fleet.StartAsync(Sandbox, replicas, Redis.Endpoint, [("Luma:Name", account), .. settings]));

    /// <summary>One more replica beside the three: it shares their answers, and may be killed.</summary>
    internal Task<Fleet> StartBesideAsync(params (string Key, string Value)[] settings) => StartAsync(1, Account, settings);

    public async ValueTask DisposeAsync()
    {
        await Other.DisposeAsync();
        await Fleet.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
