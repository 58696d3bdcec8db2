using System.Diagnostics.Metrics;
using LumaGateway.Redis;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.Metrics.Testing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace LumaGateway.Tests.Redis;

public sealed class RedisConnectionTests
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task A_connection_whose_Redis_does_not_respond_is_closed_after_a_second()
    {
        var redis = new FakeRedis(_clock);
        var connection = ConnectionTo(redis);
        await connection.GetAsync();
        var close = redis.Hold("dispose", "");

        var closing = connection.DisposeAsync().AsTask();
        await close.ReachedAsync();
        Assert.False(closing.IsCompleted);
        _clock.Advance(CloseTimeout);

        await closing.WithTimeout();
        close.Release();
    }

    [Fact]
    public async Task The_shutdown_closes_both_connections_at_the_same_time()
    {
        var (cacheRedis, ledgerRedis) = (new FakeRedis(_clock), new FakeRedis(_clock));
        var cache = ConnectionTo(cacheRedis);
        await cache.GetAsync();
        var ledger = new LedgerConnection(RedisOptions, ConnectionTo(ledgerRedis), _clock, NullLogger<RedisConnection>.Instance);
        await ledger.Redis.GetAsync();
        var closes = new[] { cacheRedis.Hold("dispose", ""), ledgerRedis.Hold("dispose", "") };

        var closing = new RedisShutdown(cache, ledger).StoppedAsync(CancellationToken.None);
        await Task.WhenAll(closes.Select(close => close.ReachedAsync()));
        Assert.False(closing.IsCompleted);
        _clock.Advance(CloseTimeout);

        await closing.WithTimeout();
        Array.ForEach(closes, close => close.Release());
    }

    [Fact]
    public async Task A_connection_that_the_gateway_has_closed_is_not_reported_as_lost()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        var connection = ConnectionTo(new FakeRedis(_clock));
        _ = new RedisMetrics(meters, connection, new RedisState(_clock));
        using var connected = new MetricCollector<int>(meters, Instrumentation.Name, "luma_gateway.redis.connected");
        await connection.GetAsync();
        connected.RecordObservableInstruments();
        Assert.Equal(1, connected.LastMeasurement!.Value);

        await connection.DisposeAsync();
        connected.RecordObservableInstruments();

        Assert.Single(connected.GetMeasurementSnapshot());
    }

    [Fact]
    public void The_gateway_closes_the_connections_before_the_host_disposes_of_the_services()
    {
        using var gateway = new Gateway();

        Assert.Single(gateway.Services.GetServices<IHostedService>().OfType<RedisShutdown>());
    }

    private static IOptions<RedisOptions> RedisOptions => Options.Create(new RedisOptions { Redis = "redis.test" });

    private RedisConnection ConnectionTo(FakeRedis redis) => new(RedisOptions, _clock, NullLogger<RedisConnection>.Instance) { Connect = _ => Task.FromResult(redis.Connect()) };
}
