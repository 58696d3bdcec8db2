using System.IO.Hashing;
using System.Text;
using LumaGateway.Contracts;

namespace LumaGateway.Generations;

/// <summary>
/// The links that answers give: the upstream's own, or where the gateway's public address is set, the gateway's, which never expire. Never
/// made from what a request says. Pure.
/// </summary>
/// <param name="PublicUrl">The gateway's address as callers know it, without a trailing slash; null to give the upstream's links.</param>
internal sealed record PublishedLinks(string? PublicUrl)
{
    /// <summary>Part of every cache key: gateways that publish other links do not read each other's answers.</summary>
    public string Scope { get; } = PublicUrl is null ? string.Empty : $"-{XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(PublicUrl)):x16}";

    /// <summary>The same instance where nothing is to be changed.</summary>
    public Generation Publish(Generation generation) => PublicUrl is null ? generation : generation with
    {
        Video = generation.Video is { } video ? video with { Url = Link(generation, "video") } : null,
        Image = generation.Image is { } image ? image with { Url = Link(generation, "image") } : null,
        Thumbnail = generation.Thumbnail is { } thumbnail ? thumbnail with { Url = Link(generation, "thumbnail") } : null,
        LastFrame = generation.LastFrame is { } lastFrame ? lastFrame with { Url = Link(generation, "last_frame") } : null,
        ExpiresAt = null,
    };

    private string Link(Generation generation, string asset) => $"{PublicUrl}/generations/{generation.Id}/{asset}";
}
