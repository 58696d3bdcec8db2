using System.Text.Json;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Time;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Makes cache entries of what the upstream returns: the published body, its freshness, and the original links. Thread-safe.</summary>
internal sealed class GenerationSource(
    AccountDirectory directory, AccountSearch search, IOptions<LumaOptions> luma, IOptions<FreshnessOptions> freshness, PublishedLinks links, JobStateUpdater jobs, TimeProvider clock)
    : IEntrySource
{
    private readonly FreshnessOptions _freshness = freshness.Value;

    public TimeSpan Deadline => luma.Value.Deadline;

    public async Task<CacheEntry> FetchAsync(GenerationId key, string requestId, Deadline deadline)
    {
        var startedAt = clock.GetUtcNow();
        try
        {
            if (directory.FindInMemory(key) is { } known)
            {
                return CreateEntry(key, await known.Client.GetAsync(key, requestId, deadline), known, startedAt);
            }

            var found = await search.ReadAsync(key, requestId, deadline);
            return CreateEntry(key, found.Result, found.Account, startedAt);
        }
        catch (UpstreamException exception) when (exception.Fault is UpstreamFault.NotFound)
        {
            var now = clock.GetUtcNow();
            return new CacheEntry(key, EntryKind.NotFound, [], now, now + _freshness.NotFound, now) { RequestedAt = startedAt };
        }
    }

    /// <summary>Creates the entry of a generation that the upstream returned.</summary>
    /// <param name="key">The generation.</param>
    /// <param name="result">What the dialect read.</param>
    /// <param name="account">The account that returned it.</param>
    /// <param name="startedAt">When the upstream request began.</param>
    public CacheEntry CreateEntry(GenerationId key, DialectResult result, UpstreamAccount account, DateTimeOffset startedAt)
    {
        var generation = result.Generation;
        var now = clock.GetUtcNow();
        var period = GenerationFreshness.Of(generation, account.Dialect.SignsUrls, now, Random.Shared.NextDouble(), _freshness);
        var freshUntil = now + period.For;
        var published = links.ApplyTo(generation);
        jobs.Observe(key, generation.State, generation.Model);

        return new CacheEntry(
            key,
            period.IsFinal ? EntryKind.Final : EntryKind.Interim,
            Serialize(published),
            now,
            freshUntil,
            period.IsFinal ? freshUntil + _freshness.Stale : freshUntil)
        {
            Metadata = ReferenceEquals(published, generation) ? [] : Serialize(generation),
            RequestedAt = startedAt,
            IsStateUnknown = !result.IsKnownState,
        };
    }

    private static byte[] Serialize(Generation generation) => JsonSerializer.SerializeToUtf8Bytes(generation, ContractsJson.Web.Generation);
}
