using LumaGateway.Contracts;

namespace LumaGateway.Assets;

/// <summary>Selects one file of a generation: the file of a kind, or an output by its index.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Index">The index in <see cref="Generation.Outputs"/>, from 0; only for <see cref="AssetKind.Output"/>.</param>
internal readonly record struct AssetSelector(AssetKind Kind, int Index = 0)
{
    /// <summary>The upstream's link; null if the generation has no such file.</summary>
    public string? LinkOf(Generation generation) => Kind switch
    {
        AssetKind.Video => generation.Video?.Url,
        AssetKind.Image => generation.Image?.Url,
        AssetKind.Thumbnail => generation.Thumbnail?.Url,
        AssetKind.LastFrame => generation.LastFrame?.Url,
        AssetKind.Output => OutputOf(generation)?.Url,
        _ => throw new InvalidOperationException($"Unknown kind {Kind}."),
    };

    /// <summary><see cref="GenerationOutput.Video"/> or <see cref="GenerationOutput.Image"/>; null for an output of another type.</summary>
    public string? MediaOf(Generation generation) => Kind switch
    {
        AssetKind.Video => GenerationOutput.Video,
        AssetKind.Output => OutputOf(generation) is { Role: not null, Type: var type } ? type : null,
        _ => GenerationOutput.Image,
    };

    /// <summary>A name such as <c>4665a07c.mp4</c>, <c>4665a07c-thumbnail.jpg</c> or <c>4665a07c-2.png</c>. It needs no escaping in <c>Content-Disposition</c>.</summary>
    public string FileNameOf(GenerationId id, string mediaType)
    {
        var extension = AssetMediaType.ExtensionOf(mediaType);
        return Kind switch
        {
            AssetKind.Video or AssetKind.Image => $"{id}.{extension}",
            AssetKind.Output => $"{id}-{Index}.{extension}",
            _ => $"{id}-{AssetKinds.NameOf(Kind).Replace('_', '-')}.{extension}",
        };
    }

    private GenerationOutput? OutputOf(Generation generation) => Index < generation.Outputs.Count ? generation.Outputs[Index] : null;
}
