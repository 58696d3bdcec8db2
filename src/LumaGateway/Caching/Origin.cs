using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Caching;

/// <summary>Where answers come from when the cache has none.</summary>
/// <param name="FetchAsync">
/// Fetches one answer within the deadline, or throws <see cref="UpstreamException"/>. The text is the request id of the caller
/// for whom the fetch began.
/// </param>
/// <param name="Deadline">The limit on a caller's whole way, waiting for another replica included.</param>
internal sealed record Origin(Func<CacheKey, string, Deadline, Task<CacheEntry>> FetchAsync, TimeSpan Deadline);
