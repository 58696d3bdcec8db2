using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace LumaGateway.Tests.Shared;

/// <summary>Limits of a test's own server.</summary>
internal static class ServerLimits
{
    /// <summary>Takes away what the server measures in real time: a starved machine must not trip it.</summary>
    public static void BePatient(this KestrelServerLimits limits)
    {
        limits.RequestHeadersTimeout = Timeout.InfiniteTimeSpan;
        limits.KeepAliveTimeout = Timeout.InfiniteTimeSpan;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
    }
}
