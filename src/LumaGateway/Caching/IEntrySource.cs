using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Caching;

/// <summary>The request that starts a fetch.</summary>
/// <param name="Id">The request id.</param>
/// <param name="OnFetch">Called if this request starts a fetch and does not join one; null if nothing is to be called.</param>
internal readonly record struct FetchRequest(string Id, Action? OnFetch = null);

/// <summary>Fetches the entries that the cache does not have.</summary>
internal interface IEntrySource
{
    /// <summary>The time limit of a fetch, including the wait for another replica.</summary>
    TimeSpan Deadline { get; }

    /// <summary>Fetches one entry within the deadline, or throws <see cref="UpstreamException"/>.</summary>
    /// <param name="key">The key of the entry.</param>
    /// <param name="requestId">The id of the request that started the fetch.</param>
    /// <param name="deadline">The time limit.</param>
    Task<CacheEntry> FetchAsync(GenerationId key, string requestId, Deadline deadline);
}
