using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>The multiplexed connection of this process to Redis. Connects in the background and reconnects automatically.</summary>
internal sealed partial class RedisConnection(IOptions<RedisOptions> options, TimeProvider clock, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    /// <summary>How long the shutdown waits for responses of Redis. The client itself would wait five seconds for each connection.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly Lock _connectLock = new();
    private Task<IConnectionMultiplexer>? _connecting;
    private volatile bool _isClosed;

    /// <summary>Creates the connection; replaceable for tests.</summary>
    public Func<ConfigurationOptions, Task<IConnectionMultiplexer>> Connect { get; init; } =
        static async configuration => await ConnectionMultiplexer.ConnectAsync(configuration);

    public bool IsConfigured => options.Value.IsConfigured;

    /// <summary>Whether the client is connected.</summary>
    public bool IsConnected => _connecting is { IsCompletedSuccessfully: true } connecting && connecting.GetAwaiter().GetResult().IsConnected;

    /// <summary>Whether the first attempt to connect has not ended.</summary>
    public bool IsStarting => _connecting is not { IsCompleted: true };

    /// <summary>Whether the gateway itself closes or has closed the connection: it stops.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>The connection that receives messages was lost, or restored.</summary>
    public event Action<bool>? SubscriptionChanged;

    /// <summary>Returns the connection after the first attempt, successful or not.</summary>
    public Task<IConnectionMultiplexer> GetAsync()
    {
        lock (_connectLock)
        {
            return _connecting is null or { IsFaulted: true } ? _connecting = ConnectAsync() : _connecting;
        }
    }

    /// <summary>Forces role discovery: StackExchange.Redis does not re-elect a master that recovers on its existing connection. Never throws.</summary>
    public async Task DiscoverRolesAsync()
    {
        if (_connecting is not { IsCompletedSuccessfully: true } connecting)
        {
            return;
        }

        try
        {
            await (await connecting).ConfigureAsync();
        }
        catch (Exception exception) when (RedisFailure.Is(exception))
        {
            // Discovery is repeated at the next failure of Redis.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _isClosed = true;
        if (_connecting is not { IsCompletedSuccessfully: true } connecting)
        {
            return;
        }

        try
        {
            await (await connecting).DisposeAsync().AsTask().WaitAsync(CloseTimeout, clock);
        }
#pragma warning disable CA1031 // whatever the client throws while it closes
        catch (Exception)
#pragma warning restore CA1031
        {
            // The process ends, which closes the connection.
        }
    }

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        await Task.Yield(); // never on a caller's thread
        var redis = await Connect(options.Value.Parse());
        redis.ConnectionFailed += (_, args) =>
        {
            Log.ConnectionLost(logger, args.ConnectionType, args.FailureType, options.Value.GetKey());
            OnChanged(args.ConnectionType, isConnected: false);
        };
        redis.ConnectionRestored += (_, args) =>
        {
            Log.ConnectionRestored(logger, args.ConnectionType, options.Value.GetKey());
            OnChanged(args.ConnectionType, isConnected: true);
        };
        if (!redis.IsConnected)
        {
            Log.Unavailable(logger, options.Value.GetKey());
        }

        return redis;
    }

    private void OnChanged(ConnectionType connection, bool isConnected)
    {
        if (connection is ConnectionType.Subscription)
        {
            SubscriptionChanged?.Invoke(isConnected);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2001, LogLevel.Warning, "The Redis of {Setting} is unavailable; the gateway works without it and connects in the background (infra/redis.md).")]
        public static partial void Unavailable(ILogger logger, string setting);

        [LoggerMessage(2002, LogLevel.Warning, "The {Connection} connection to Redis was lost ({Failure}, {Setting}); the gateway works without it and reconnects in the background.")]
        public static partial void ConnectionLost(ILogger logger, ConnectionType connection, ConnectionFailureType failure, string setting);

        [LoggerMessage(2003, LogLevel.Information, "The {Connection} connection to Redis is restored ({Setting}).")]
        public static partial void ConnectionRestored(ILogger logger, ConnectionType connection, string setting);
    }
}
