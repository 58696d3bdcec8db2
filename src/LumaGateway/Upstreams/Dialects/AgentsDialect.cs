using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Luma's Agents API: a typed <c>output</c> list, failures with a code, and URLs that are signed anew for every response.
/// </summary>
internal sealed class AgentsDialect : IUpstreamDialect
{
    public string Name => "agents";

    public bool SignsUrls => true;

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public (string Name, string Value) Credential(string token) => ("Authorization", $"Bearer {token}");

    public DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body)
    {
        WireStatus.RequireOk(status);
        var root = body.RequireObject();
        root.Property("id").RequireId(id);

        var state = WireState.Read(root.Property("state"));
        var failure = WireFailure.Read(state, root);
        var request = root.Property("request");
        var assets = AssetsOf(root.Property("output"), root.Property("type").AsText());

        return new DialectResult(
            new Generation(
                id.Value,
                state.State,
                CreatedAt: root.Property("created_at").AsTime(),
                Model: root.Property("model").AsText() ?? request.Property("model").AsText(),
                Prompt: root.Property("prompt").AsText() ?? request.Property("prompt").AsText(),
                AspectRatio: root.Property("aspect_ratio").AsText() ?? request.Property("aspect_ratio").AsText(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpiresAt),
            state.IsKnown);
    }

    private static WireAssets AssetsOf(JsonElement output, string? generationType)
    {
        if (output.ValueKind is not JsonValueKind.Array)
        {
            return Add(new WireAssets(), output, generationType);
        }

        var assets = new WireAssets();
        foreach (var item in output.EnumerateArray())
        {
            assets = Add(assets, item, generationType);
        }

        return assets;
    }

    // Takes the first usable item of each type. An item without a type has the type of the generation: video, image, image_edit, …
    private static WireAssets Add(WireAssets assets, JsonElement item, string? generationType) =>
        (item.Property("type").AsText() ?? generationType)?.Trim().ToLowerInvariant() switch
        {
            null or "video" or "video_edit" or "video_reframe" => assets with { Video = assets.Video ?? WireAssets.ReadVideo(item) },
            "image" or "image_edit" or "layering" => assets with { Image = assets.Image ?? WireAssets.ReadImage(item) },
            "thumbnail" => assets with { Thumbnail = assets.Thumbnail ?? WireAssets.ReadImage(item) },
            "last_frame" => assets with { LastFrame = assets.LastFrame ?? WireAssets.ReadImage(item) },
            _ => assets,
        };
}
