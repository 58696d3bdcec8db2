namespace LumaGateway.Sandbox.Requests;

/// <summary>The requests that the upstream received since the last reset.</summary>
/// <param name="Total">All requests to dialects, assets and unknown paths; never those to <c>/</c> and <c>/sandbox</c>.</param>
/// <param name="ConcurrentMax">The highest number of concurrent requests.</param>
/// <param name="ByPath">By <c>METHOD /path</c>.</param>
/// <param name="ById">By generation id, over all paths.</param>
/// <param name="FirstAt">Arrival of the first request.</param>
/// <param name="LastAt">Arrival of the last request.</param>
/// <param name="CreatesRefused">Creates refused with 429 because of <c>Sandbox:MaxConcurrentJobs</c> or <c>Sandbox:MaxCreatesPerMinute</c>.</param>
internal sealed record RequestCounts(
    long Total,
    int ConcurrentMax,
    IReadOnlyDictionary<string, long> ByPath,
    IReadOnlyDictionary<string, long> ById,
    DateTimeOffset? FirstAt,
    DateTimeOffset? LastAt,
    long CreatesRefused);
