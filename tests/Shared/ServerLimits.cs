using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LumaGateway.Tests.Shared;

/// <summary>Limits of a server in a test.</summary>
internal static class ServerLimits
{
    /// <summary>Sets long timeouts, so that a busy machine does not reach them.</summary>
    /// <remarks>
    /// Infinite timeouts do not work: Kestrel adds the timeout to its timestamp, which overflows if it counts nanoseconds, and then closes idle connections within a
    /// second.
    /// </remarks>
    public static void UseLongTimeouts(this KestrelServerLimits limits)
    {
        limits.RequestHeadersTimeout = TimeSpan.FromHours(1);
        limits.KeepAliveTimeout = TimeSpan.FromHours(1);
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
    }
}
