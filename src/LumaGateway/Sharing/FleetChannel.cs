using System.Collections.Concurrent;
using StackExchange.Redis;

namespace LumaGateway.Sharing;

/// <summary>
/// What replicas tell each other through Redis pub/sub. A hint only: messages may be lost, and what must hold without them is also
/// in Redis itself. Without Redis it is silent. Thread-safe.
/// </summary>
internal sealed partial class FleetChannel(RedisConnection connection, FleetScope scope, TimeProvider clock, ILogger<FleetChannel> logger) : BackgroundService
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private readonly RedisChannel _channel = RedisChannel.Literal(scope.Prefix + "fleet");
    private readonly ConcurrentDictionary<string, Action<string[]>> _listeners = new(StringComparer.Ordinal);

    /// <summary>Has every message on a topic, this replica's own included, given to its one listener as the words that were said.</summary>
    public void Listen(string topic, Action<string[]> listener) => _listeners[topic] = listener;

    /// <summary>Tells all replicas. Never throws.</summary>
    /// <param name="topic">What it is about.</param>
    /// <param name="words">None of them has a space in it.</param>
    public async Task SayAsync(string topic, params IEnumerable<string> words)
    {
        if (!connection.IsConfigured)
        {
            return;
        }

        using var span = RedisSpan.Start("publish");
        try
        {
            var redis = await connection.GetAsync();
            await redis.GetSubscriber().PublishAsync(_channel, string.Join(' ', [topic, .. words])).WaitAsync(Patience, clock);
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException)
        {
            span.Fail(exception); // a hint that was not given; the entries in Redis say the same
        }
    }

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

    private void Hear(string message)
    {
        if (message.Split(' ') is [var topic, .. var words] && _listeners.TryGetValue(topic, out var listener))
        {
            listener(words);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2021, LogLevel.Warning, "Could not subscribe to the other replicas' messages; trying on. Purges reach this replica when it next looks at Redis.")]
        public static partial void NotSubscribed(ILogger logger);
    }
}
