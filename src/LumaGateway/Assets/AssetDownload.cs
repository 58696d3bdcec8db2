using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;

namespace LumaGateway.Assets;

/// <summary>One caller's download of a file, with the current link. Not thread-safe.</summary>
internal sealed class AssetDownload(
    GenerationId id, AssetSelector selector, CacheEntry entry, Generation generation, string requestId, RateLimitLease? lease, GenerationReader reader)
{
    public static readonly HttpRequestOptionsKey<AssetDownload> Key = new("asset");

    public GenerationId Id => id;

    public AssetSelector Selector => selector;

    /// <summary>The kind of media that the file must have; null if its type is not known.</summary>
    public string? Media { get; } = selector.MediaOf(generation);

    /// <summary>The upstream's link; null if the generation has no such asset.</summary>
    public string? Link { get; private set; } = selector.LinkOf(generation);

    /// <summary>The media type of the file, without parameters; null if the CDN's response is not a file of the kind.</summary>
    public string? MediaType { get; set; }

    /// <summary>Fetches a new link from the upstream, without the cache. Throws <see cref="UpstreamException"/> if the upstream fails.</summary>
    public async Task RenewLinkAsync(CancellationToken cancellationToken)
    {
        var renewed = await reader.RenewAsync(entry, requestId, lease, cancellationToken);
        Link = selector.LinkOf(GenerationReader.OriginalOf(renewed.Entry!));
    }
}
