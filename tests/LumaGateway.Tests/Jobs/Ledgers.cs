using System.Diagnostics.Metrics;
using LumaGateway.Jobs;
using LumaGateway.Proxy;
using LumaGateway.Redis;
using LumaGateway.Tests.Redis;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Tests.Jobs;

/// <summary>Ledgers for tests.</summary>
internal static class Ledgers
{
    private static readonly IMeterFactory Meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();

    public static IOptions<JobsOptions> Options { get; } = Microsoft.Extensions.Options.Options.Create(new JobsOptions());

    private static JobLimits NoLimits { get; } = new(new Dictionary<string, SlotLimits>());

    public static MemoryJobLedger InMemory(TimeProvider clock) => new(Options, clock);

    public static LedgerDatabase Database(Func<Task<IConnectionMultiplexer>> connect, TimeProvider clock) => Database(Connection(connect), clock);

    public static LedgerConnection Connection(Func<Task<IConnectionMultiplexer>> connect)
    {
        var options = Microsoft.Extensions.Options.Options.Create(new RedisOptions { Redis = "redis.test" });
        var cache = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance) { Connect = _ => connect() };
        return new LedgerConnection(options, cache, TimeProvider.System, NullLogger<RedisConnection>.Instance);
    }

    public static LedgerDatabase Database(LedgerConnection ledger, TimeProvider clock) =>
        new(ledger.Redis, new LedgerMetrics(Meters, ledger), clock, NullLogger<LedgerDatabase>.Instance);

    public static CreateJobs CreateJobs(IMeterFactory meters, TimeProvider clock) => new(
        new AccountDirectory(TestAccounts.Create(new MonotonicClock(clock), null, TestAccounts.Named("account")), InMemory(clock), Microsoft.Extensions.Options.Options.Create(new RedisResilienceOptions()), clock, NullLogger<AccountDirectory>.Instance),
        new JobSlots(new MemorySlotStore(clock), NoLimits, Options, new JobMetrics(meters, NoLimits), clock),
        new JobMetrics(meters, NoLimits),
        clock,
        NullLogger<CreateJobs>.Instance);

    public static LedgerDatabase Database(FakeRedis redis, TimeProvider clock) => Database(() => Task.FromResult(redis.Connect()), clock);

    public static RedisJobLedger On(FakeRedis redis, TimeProvider clock, RedisSigner? signer = null, ILogger<RedisJobLedger>? logger = null) =>
        new(Database(redis, clock), signer ?? Signers.None, Options, clock, logger ?? NullLogger<RedisJobLedger>.Instance);
}
