using StackExchange.Redis;

namespace LumaGateway.Redis;

/// <summary>The exceptions of the Redis client. Pure.</summary>
internal static class RedisFailure
{
    /// <summary>
    /// True if Redis cannot be used: no connection, an error of the server, no response in time, a command that the client does not send (such as one for a database that does not exist), or a client
    /// that is disposed because the process ends.
    /// </summary>
    public static bool Is(Exception exception) => exception is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException;
}
