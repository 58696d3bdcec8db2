using System.Net;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>One delete or purge with its response.</summary>
/// <param name="Id">The generation. Before the removal it is completed at the upstream.</param>
/// <param name="IsDeletedUpstream">Whether it is deleted at the upstream; otherwise it is failed there.</param>
/// <param name="Replica">The process that sent the response.</param>
/// <param name="IsConfirmed">Whether Redis confirmed it; otherwise the process repeats it every second until Redis confirms it.</param>
/// <param name="From">The timestamp of the request.</param>
/// <param name="Until">The timestamp of the response.</param>
internal sealed record Removal(string Id, bool IsDeletedUpstream, string Replica, bool IsConfirmed, long From, long Until)
{
    /// <summary>Returns null if the response does not report a removal from the cache.</summary>
    /// <param name="status">The status of the response to the DELETE.</param>
    /// <param name="cacheStatus">Its <c>Cache-Status</c>.</param>
    /// <param name="body">Its body.</param>
    public static bool? IsConfirmedBy(HttpStatusCode status, string cacheStatus, string body) => (status, cacheStatus) switch
    {
        (_, var text) when text.Contains("detail=purged", StringComparison.Ordinal) => true,
        (_, var text) when text.Contains("detail=purge_pending", StringComparison.Ordinal) => false,
        (HttpStatusCode.NoContent, _) => true,
        (HttpStatusCode.ServiceUnavailable, _) when body.Contains("\"cache_unavailable\"", StringComparison.Ordinal) => false,
        _ => null,
    };

    /// <summary>Whether this response to a read, which started after the removal, is from before the removal.</summary>
    public bool IsStale(HttpStatusCode status, string body) =>
        status is HttpStatusCode.OK && (IsDeletedUpstream || body.Contains("\"state\":\"completed\"", StringComparison.Ordinal));
}
