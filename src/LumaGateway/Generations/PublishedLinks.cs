using System.IO.Hashing;
using System.Text;
using LumaGateway.Contracts;

namespace LumaGateway.Generations;

/// <summary>
/// Decides which links responses contain: the upstream's, or the gateway's if its public URL is configured. The gateway's links do not expire, and do not depend
/// on the request. Pure.
/// </summary>
/// <param name="PublicUrl">The gateway's URL for callers, without a trailing slash; null for the upstream's links.</param>
internal sealed record PublishedLinks(string? PublicUrl)
{
    /// <summary>Part of every cache key: gateways that publish different links must not share entries.</summary>
    public string KeySuffix { get; } = PublicUrl is null ? string.Empty : $"-{XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(PublicUrl)):x16}";

    /// <summary>Returns the same instance if nothing changes.</summary>
    public Generation ApplyTo(Generation generation) => PublicUrl is null ? generation : generation with
    {
        Video = generation.Video is { } video ? video with { Url = Link(generation, "video") } : null,
        Image = generation.Image is { } image ? image with { Url = Link(generation, "image") } : null,
        Thumbnail = generation.Thumbnail is { } thumbnail ? thumbnail with { Url = Link(generation, "thumbnail") } : null,
        LastFrame = generation.LastFrame is { } lastFrame ? lastFrame with { Url = Link(generation, "last_frame") } : null,
        Outputs = [.. generation.Outputs.Select((output, index) => output with { Url = Link(generation, $"outputs/{index}") })],
        ExpiresAt = null,
    };

    private string Link(Generation generation, string asset) => $"{PublicUrl}/generations/{generation.Id}/{asset}";
}
