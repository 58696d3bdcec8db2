namespace LumaGateway.SystemTests.Redis;

/// <summary>
/// One Redis, one sandbox and three replicas for all tests that break nothing. The tests run side by side: each takes ids of its own, and none forgets
/// the sandbox's counts or breaks more than its own ids. A test that kills or breaks something starts replicas of its own in front of the sandbox.
/// </summary>
[CollectionDefinition]
public sealed class SharedSystem : IAsyncLifetime, ICollectionFixture<SharedSystem>
{
    /// <summary>How long a test waits for what must happen.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary><c>Waiting:PollEvery</c> of the three replicas.</summary>
    internal static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(400);

    internal RedisServer Redis { get; private set; } = null!;

    internal SandboxProcess Sandbox { get; private set; } = null!;

    internal Fleet Fleet { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var redis = RedisServer.StartAsync();
        Sandbox = await SandboxProcess.StartAsync();
        Redis = await redis;
        Fleet = await RedisUse.UsedByAllAsync(await Fleet.StartAsync(
            Sandbox,
            3,
            Redis.Endpoint,
            [
                ("Luma:Retries", "0"), // one request a fetch, whatever comes of it: the counts are exact
                ("Waiting:PollEvery", PollEvery.ToString()),
                ("Waiting:PollFloor", "00:00:00.2"),
                ("Waiting:LeaseLifetime", "00:00:10"),
                ("Waiting:Longest", "00:10:00"),
            ]));
    }

    /// <summary>Replicas of a test's own, which share this Redis with each other, and nothing with replicas of another account.</summary>
    internal async Task<Fleet> StartAsync(int replicas, string account, params (string Key, string Value)[] settings) => await RedisUse.UsedByAllAsync(
        await Fleet.StartAsync(Sandbox, replicas, Redis.Endpoint, [("Luma:Name", account), .. settings]));

    /// <summary>One more replica beside the three: it shares their answers, and may be killed.</summary>
    internal Task<Fleet> StartBesideAsync(params (string Key, string Value)[] settings) => StartAsync(1, "sandbox", settings);

    public async ValueTask DisposeAsync()
    {
        await Fleet.DisposeAsync();
        await Sandbox.DisposeAsync();
        await Redis.DisposeAsync();
    }
}
