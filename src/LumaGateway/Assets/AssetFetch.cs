using LumaGateway.Access;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;

namespace LumaGateway.Assets;

/// <summary>One caller's download: which file of which generation, and the link to it as far as it is known.</summary>
internal sealed class AssetFetch(GenerationId id, AssetKind kind, CacheEntry entry, string requestId, RateLimitLease? payer, GenerationReader reader)
{
    public static readonly HttpRequestOptionsKey<AssetFetch> Key = new("asset");

    public GenerationId Id => id;

    public AssetKind Kind => kind;

    /// <summary>Null where the generation has no such asset.</summary>
    public string? Link { get; private set; } = AssetKinds.LinkOf(kind, GenerationReader.OriginalOf(entry));

    /// <summary>Asks the upstream for another link, past the cache. Throws <see cref="UpstreamException"/> where it gives no answer.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        var renewed = await reader.RenewAsync(entry, requestId, payer, cancellationToken);
        Link = AssetKinds.LinkOf(kind, GenerationReader.OriginalOf(renewed.Entry!));
    }
}
