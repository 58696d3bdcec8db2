using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>
/// Messages between replicas through Redis pub/sub. Messages may be lost: correctness never depends on them. Without Redis it does nothing. A message
/// that is too large, too old, malformed or not authenticated is dropped and counted. Thread-safe.
/// </summary>
internal sealed partial class ReplicaBus(
    RedisConnection connection, RedisKeyspace keyspace, RedisSigner signer, RedisState state, RedisMetrics metrics, TimeProvider clock, ILogger<ReplicaBus> logger) : BackgroundService
{
    /// <summary>The maximum number of words after the topic in one message.</summary>
    private const int MaxWords = 2;

    /// <summary>Several times the default of <c>Luma:MaxBodyBytes</c>, in base64.</summary>
    private const int MaxBytes = 4 * 1024 * 1024;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    /// <summary>A signed message older than this, or further in the future, is dropped: it may be a replay.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    private readonly string _name = keyspace.Prefix + "replicas";
    private readonly ConcurrentDictionary<string, Func<string[], bool>> _handlers = new(StringComparer.Ordinal);

    private RedisChannel Channel => RedisChannel.Literal(_name);

    /// <summary>Sets the handler of a topic; this replica's own messages are delivered too. The handler returns false for malformed words.</summary>
    public void Subscribe(string topic, Func<string[], bool> handler) => _handlers[topic] = handler;

    /// <summary>Publishes a message to all replicas. Never throws.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="words">At most two words without spaces.</param>
    public async Task PublishAsync(string topic, params IEnumerable<string> words)
    {
        if (!connection.IsConfigured)
        {
            return;
        }

        using var span = RedisSpan.Start("publish");
        try
        {
            var redis = await connection.GetAsync();
            // ISubscriber.PublishAsync sends to the server of the subscription. That may be a replica, for good once a connection was cut, and subscribers of the
            // master do not receive what is published there. The master passes messages on to its replicas.
            await redis.GetDatabase()
                .ExecuteAsync("PUBLISH", [_name, Encode(string.Join(' ', [topic, .. words]))], CommandFlags.DemandMaster)
                .WaitAsync(Timeout, clock);
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            span.Fail(exception); // the message is lost; the entries in Redis are correct without it
        }
    }

    /// <summary>Subscribes as soon as Redis is available. Afterwards the client re-subscribes at each reconnect.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var attempt = 1; connection.IsConfigured && !await TrySubscribeAsync(); attempt++)
        {
            if (attempt == 1)
            {
                Log.NotSubscribed(logger);
            }

            await Task.Delay(RetryInterval, clock, stoppingToken);
        }
    }

    private async Task<bool> TrySubscribeAsync()
    {
        try
        {
            var redis = await connection.GetAsync();
            connection.SubscriptionChanged -= OnSubscriptionChanged;
            connection.SubscriptionChanged += OnSubscriptionChanged;
            var subscriber = redis.GetSubscriber();
            await subscriber.UnsubscribeAsync(Channel, OnMessage); // the client keeps the handler of an attempt that failed
            await subscriber.SubscribeAsync(Channel, OnMessage);
            await ReconfirmAsync(); // a failure here must not subscribe a second time
            return true;
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            return false;
        }
    }

    /// <summary>Starts a new period of receiving, once the subscription's connection responds: the client has sent its subscriptions before.</summary>
    private async Task ConfirmAsync(IConnectionMultiplexer redis)
    {
        await redis.GetSubscriber().PingAsync();
        state.StartReceiving();
    }

    private void OnSubscriptionChanged(bool isConnected)
    {
        state.StopReceiving();
        if (isConnected)
        {
            _ = ReconfirmAsync();
        }
    }

    private async Task ReconfirmAsync()
    {
        try
        {
            await ConfirmAsync(await connection.GetAsync());
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            // The connection is lost again. Its next restoration confirms it.
        }
    }

    /// <summary>With a signing key: milliseconds since 1970, a space, the text, and the signature.</summary>
    private RedisValue Encode(string text) => signer.IsActive
        ? signer.Sign(SignedKind.Message, _name, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{clock.GetUtcNow().ToUnixTimeMilliseconds()} {text}")))
        : text;

    private void OnMessage(RedisChannel channel, RedisValue message)
    {
        if (Deliver(message) is { } reason)
        {
            metrics.RecordRejected(reason);
            Log.Dropped(logger, reason);
        }
    }

    /// <summary>Delivers the message to its handler; returns why it was dropped, or null.</summary>
    private RejectReason? Deliver(RedisValue message)
    {
        if (message.Length() > MaxBytes)
        {
            return RejectReason.Oversized;
        }

        if (!signer.TryVerify(SignedKind.Message, _name, (byte[]?)message ?? [], out var data))
        {
            return RejectReason.Unauthenticated;
        }

        // Splits into one part more than allowed, so that a longer message is not split to its end.
        ReadOnlySpan<string> parts = Encoding.UTF8.GetString(data).Split(' ', MaxWords + 3);
        if (signer.IsActive)
        {
            if (!IsRecent(parts[0]))
            {
                return RejectReason.Expired;
            }

            parts = parts[1..];
        }

        if (parts is not [var topic, .. var words] || !_handlers.TryGetValue(topic, out var handler))
        {
            return RejectReason.Malformed;
        }

        if (words.Length > MaxWords)
        {
            return RejectReason.Oversized;
        }

        return TryHandle(handler, words.ToArray()) ? null : RejectReason.Malformed;
    }

    private bool IsRecent(string milliseconds) => long.TryParse(milliseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var sentAt)
        && Math.Abs(clock.GetUtcNow().ToUnixTimeMilliseconds() - sentAt) <= MaxAge.TotalMilliseconds;

    private static bool TryHandle(Func<string[], bool> handler, string[] words)
    {
        try
        {
            return handler(words);
        }
#pragma warning disable CA1031 // an exception of a handler must not stop the subscription
        catch
#pragma warning restore CA1031
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2021, LogLevel.Warning, "Could not subscribe to the messages of other replicas; the gateway retries every second. Until then a purge reaches this replica after Cache:MemoryLifetime.")]
        public static partial void NotSubscribed(ILogger logger);

        [LoggerMessage(2022, LogLevel.Debug, "A message on the replicas' channel was dropped ({Reason}); luma_gateway.redis.rejected counts them.")]
        public static partial void Dropped(ILogger logger, RejectReason reason);
    }
}
