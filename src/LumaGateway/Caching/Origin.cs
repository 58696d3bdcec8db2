using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Caching;

/// <summary>Fetches what the cache does not have.</summary>
/// <param name="FetchAsync">
/// Fetches one entry within the deadline, or throws <see cref="UpstreamException"/>. The text is the id of the request that started the fetch.
/// </param>
/// <param name="Deadline">The time limit of a fetch, including the wait for another replica.</param>
internal sealed record Origin(Func<GenerationId, string, Deadline, Task<CacheEntry>> FetchAsync, TimeSpan Deadline);
