namespace LumaGateway.Sandbox.Requests;

/// <summary>How often the upstream was asked, and for what, since the last reset.</summary>
/// <param name="Total">All requests to dialects, assets and unknown paths; never those to <c>/</c> and <c>/sandbox</c>.</param>
/// <param name="ConcurrentMax">The most that were under way at once.</param>
/// <param name="ByPath">By <c>METHOD /path</c>.</param>
/// <param name="ById">By generation id, whatever was asked about it.</param>
/// <param name="FirstAt">When the first arrived.</param>
/// <param name="LastAt">When the last arrived.</param>
internal sealed record RequestCounts(
    long Total,
    int ConcurrentMax,
    IReadOnlyDictionary<string, long> ByPath,
    IReadOnlyDictionary<string, long> ById,
    DateTimeOffset? FirstAt,
    DateTimeOffset? LastAt);
