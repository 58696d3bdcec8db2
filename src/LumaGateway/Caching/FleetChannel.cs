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
    private const string Change = "change";
    private const string Want = "want";
    private const string Lead = "lead";
    private const string Nudge = "nudge";

    /// <summary>Names so many keys in one message at most.</summary>
    private const int MostWants = 500;

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private readonly RedisChannel _channel = RedisChannel.Literal(scope.Prefix + "fleet");

    /// <summary>Another replica, or this one, purged a key.</summary>
    public event Action<CacheKey>? Purged;

    /// <summary>A replica was asked by the upstream to leave it alone for so long.</summary>
    public event Action<TimeSpan>? Paused;

    /// <summary>A replica has an answer that others wait for.</summary>
    public event Action<CacheEntry>? Changed;

    /// <summary>Another replica waits for keys: its name, then <c>key:what it knows</c> for each.</summary>
    public event Action<string, IReadOnlyList<string>>? Wanted;

    /// <summary>Another replica, or this one, looks after what the replicas of these names wait for.</summary>
    public event Action<IReadOnlyList<string>>? Led;

    /// <summary>There may be news of a key.</summary>
    public event Action<CacheKey>? Nudged;

    /// <summary>This process, as long as it lives.</summary>
    public string Self { get; } = Guid.NewGuid().ToString("N")[..12];

    public Task SayChangedAsync(CacheEntry entry) => SayAsync($"{Change} {entry.Subject} {Convert.ToBase64String(CacheEntryFormat.Write(entry))}");

    public Task SayWantedAsync(IEnumerable<string> wants) =>
        Task.WhenAll(wants.Chunk(MostWants).Select(some => SayAsync($"{Want} {Self} {string.Join(' ', some)}")));

    public Task SayLedAsync(IEnumerable<string> replicas) => SayAsync($"{Lead} {string.Join(' ', replicas)}");

    public Task SayNudgedAsync(CacheKey key) => SayAsync($"{Nudge} {key}");

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
            case [Want, var replica, .. var wants] when replica != Self:
                Wanted?.Invoke(replica, wants);
                break;
            case [Change, var id, var text] when Understand(new CacheKey(id), text) is { } entry:
                Changed?.Invoke(entry);
                break;
            case [Lead, .. var replicas]:
                Led?.Invoke(replicas);
                break;
            case [Nudge, var id]:
                Nudged?.Invoke(new CacheKey(id));
                break;
            case [Purge, var id]:
                Purged?.Invoke(new CacheKey(id));
                break;
            case [Pause, var text] when long.TryParse(text, out var milliseconds) && milliseconds is > 0 and < 3_600_000:
                Paused?.Invoke(TimeSpan.FromMilliseconds(milliseconds));
                break;
        }
    }

    private static CacheEntry? Understand(CacheKey key, string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? CacheEntryFormat.Read(key, bytes.AsSpan(0, length)) : null;
    }

    private static partial class Log
    {
        [LoggerMessage(2021, LogLevel.Warning, "Could not subscribe to the other replicas' messages; trying on. Purges reach this replica when it next looks at Redis.")]
        public static partial void NotSubscribed(ILogger logger);
    }
}
