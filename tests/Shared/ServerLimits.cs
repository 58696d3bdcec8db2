using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LumaGateway.Tests.Shared;

/// <summary>Limits of a test's own server.</summary>
internal static class ServerLimits
{
    /// <summary>Sets what the server measures in real time far away: a starved machine must not trip it.</summary>
    /// <remarks>
    /// Not to infinity: Kestrel adds a time-out to its timestamp, which overflows where that counts nanoseconds, and then every connection that is
    /// idle or in mid-header is closed at the next second.
    /// </remarks>
    public static void BePatient(this KestrelServerLimits limits)
    {
        limits.RequestHeadersTimeout = TimeSpan.FromHours(1);
        limits.KeepAliveTimeout = TimeSpan.FromHours(1);
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
    }
}
