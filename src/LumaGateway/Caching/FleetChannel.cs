using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>
/// What replicas tell each other through Redis pub/sub. A hint only: messages may be lost, and what must hold without them is also
/// in Redis itself. Without Redis it is silent.
/// </summary>
internal sealed partial class FleetChannel(RedisConnection connection, CacheScope scope, TimeProvider clock, ILogger<FleetChannel> logger) : BackgroundService
{
    private const string Purge = "purge";
    private const string Pause = "pause";

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private readonly RedisChannel _channel = RedisChannel.Literal(scope.Prefix + "fleet");

    /// <summary>Another replica, or this one, purged a key.</summary>
    public event Action<CacheKey>? Purged;

    /// <summary>A replica was asked by the upstream to leave it alone for so long.</summary>
    public event Action<TimeSpan>? Paused;

    public Task SayPurgedAsync(CacheKey key) => SayAsync($"{Purge} {key}");

    public Task SayPausedAsync(TimeSpan length) => SayAsync($"{Pause} {(long)length.TotalMilliseconds}");

    /// <summary>Subscribes, however late Redis appears. Once done, the client subscribes again by itself whenever it reconnects.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var tries = 1; connection.IsConfigured && !await TrySubscribeAsync(); tries++)
        {
            if (tries == 1)
            {
                Log.NotSubscribed(logger);
            }

            await Task.Delay(TryAgainAfter, clock, stoppingToken);
        }
    }

    private async Task<bool> TrySubscribeAsync()
    {
        try
        {
            var redis = await connection.GetAsync();
            await redis.GetSubscriber().SubscribeAsync(_channel, (_, message) => Hear(message.ToString()));
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            return false;
        }
    }

    private async Task SayAsync(string message)
    {
        if (!connection.IsConfigured)
        {
            return;
        }

        using var span = RedisSpan.Start("publish");
        try
        {
            var redis = await connection.GetAsync();
            await redis.GetSubscriber().PublishAsync(_channel, message);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            span.Fail(exception); // a hint that was not given; the entries in Redis say the same
        }
    }

    private void Hear(string message)
    {
        switch (message.Split(' '))
        {
            case [Purge, var id]:
                Purged?.Invoke(new CacheKey(id));
                break;
            case [Pause, var text] when long.TryParse(text, out var milliseconds) && milliseconds is > 0 and < 3_600_000:
                Paused?.Invoke(TimeSpan.FromMilliseconds(milliseconds));
                break;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2021, LogLevel.Warning, "Could not subscribe to the other replicas' messages; trying on. Purges reach this replica when it next looks at Redis.")]
        public static partial void NotSubscribed(ILogger logger);
    }
}
