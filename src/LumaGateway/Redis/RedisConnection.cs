using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>The one multiplexed connection of this process to Redis. Connects in the background and reconnects by itself.</summary>
internal sealed partial class RedisConnection(IOptions<RedisOptions> options, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private Task<IConnectionMultiplexer>? _connecting;

    /// <summary>Makes the connection. A test puts a Redis of its own here.</summary>
    public Func<ConfigurationOptions, Task<IConnectionMultiplexer>> Connect { get; init; } =
        static async configuration => await ConnectionMultiplexer.ConnectAsync(configuration);

    public bool IsConfigured => options.Value.IsConfigured;

    /// <summary>Whether commands have a chance just now.</summary>
    public bool IsConnected => _connecting is { IsCompletedSuccessfully: true } connecting && connecting.GetAwaiter().GetResult().IsConnected;

    /// <summary>The connection, once its first attempt is over, whether or not Redis was there.</summary>
    public Task<IConnectionMultiplexer> GetAsync()
    {
        lock (_gate)
        {
            return _connecting is null or { IsFaulted: true } ? _connecting = ConnectAsync() : _connecting;
        }
    }

    /// <summary>
    /// Has the client ask all servers anew who they are. It does so by itself when a connection comes or goes, or a server tells another role; but a
    /// master that was passed over while it did not answer is taken for none for good once it answers over the connection that it always had. Never throws.
    /// </summary>
    public async Task LookAgainAsync()
    {
        if (_connecting is not { IsCompletedSuccessfully: true } connecting)
        {
            return;
        }

        try
        {
            await (await connecting).ConfigureAsync();
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException or TimeoutException)
        {
            // It is asked again the next time that Redis fails.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connecting is { IsCompletedSuccessfully: true } connecting)
        {
            await (await connecting).DisposeAsync();
        }
    }

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        await Task.Yield(); // never on a caller's time
        var redis = await Connect(options.Value.Parse());
        redis.ConnectionFailed += (_, args) => Log.ConnectionLost(logger, args.ConnectionType, args.FailureType);
        redis.ConnectionRestored += (_, args) => Log.ConnectionRestored(logger, args.ConnectionType);
        if (!redis.IsConnected)
        {
            Log.NotThere(logger);
        }

        return redis;
    }

    private static partial class Log
    {
        [LoggerMessage(2001, LogLevel.Warning, "Redis is not there; going on with memory alone until it is.")]
        public static partial void NotThere(ILogger logger);

        [LoggerMessage(2002, LogLevel.Warning, "The {Connection} connection to Redis was lost ({Failure}); going on without.")]
        public static partial void ConnectionLost(ILogger logger, ConnectionType connection, ConnectionFailureType failure);

        [LoggerMessage(2003, LogLevel.Information, "The {Connection} connection to Redis is back.")]
        public static partial void ConnectionRestored(ILogger logger, ConnectionType connection);
    }
}
