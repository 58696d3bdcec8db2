using System.Net;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>One delete or purge that a replica answered.</summary>
/// <param name="Id">The generation. Until the removal the upstream had it as completed.</param>
/// <param name="IsGone">Whether the upstream does not have it any more; otherwise it has it as failed.</param>
/// <param name="Replica">The process that answered.</param>
/// <param name="IsConfirmed">Whether Redis confirmed it; otherwise the process repeats it every second until Redis does.</param>
/// <param name="From">When the request was sent, as a timestamp.</param>
/// <param name="Until">When its response was there.</param>
internal sealed record Removal(string Id, bool IsGone, string Replica, bool IsConfirmed, long From, long Until)
{
    /// <summary>Null where the response does not say that the generation was removed from the cache.</summary>
    /// <param name="status">Of the response to the DELETE.</param>
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

    /// <summary>Whether a response to a read that began after the removal is from before it.</summary>
    public bool IsContradictedBy(HttpStatusCode status, string body) =>
        status is HttpStatusCode.OK && (IsGone || body.Contains("\"state\":\"completed\"", StringComparison.Ordinal));
}
