using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Luma's Agents API: a typed <c>output</c> list, failures with a code, and links that are presigned anew on every read.
/// </summary>
internal sealed class AgentsDialect : IUpstreamDialect
{
    public string Name => "agents";

    public bool SignsUrls => true;

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public (string Name, string Value) Credential(string token) => ("Authorization", $"Bearer {token}");

    public DialectResult Read(GenerationId asked, HttpStatusCode status, JsonElement body)
    {
        WireStatus.RequireOk(status);
        var answer = body.RequireObject();
        answer.Member("id").RequireIdIs(asked);

        var state = WireState.Read(answer.Member("state"));
        var failure = WireFailure.Read(state, answer);
        var request = answer.Member("request");
        var assets = AssetsOf(answer.Member("output"), answer.Member("type").Text());

        return new DialectResult(
            new Generation(
                asked.Value,
                state.State,
                CreatedAt: answer.Member("created_at").Time(),
                Model: answer.Member("model").Text() ?? request.Member("model").Text(),
                Prompt: answer.Member("prompt").Text() ?? request.Member("prompt").Text(),
                AspectRatio: answer.Member("aspect_ratio").Text() ?? request.Member("aspect_ratio").Text(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpireAt),
            state.IsKnown);
    }

    private static WireAssets AssetsOf(JsonElement output, string? generationType)
    {
        if (output.ValueKind is not JsonValueKind.Array)
        {
            return With(new WireAssets(), output, generationType);
        }

        var assets = new WireAssets();
        foreach (var item in output.EnumerateArray())
        {
            assets = With(assets, item, generationType);
        }

        return assets;
    }

    // The first usable one of each type. An item that does not say its type is of the generation's own: video, image, image_edit, …
    private static WireAssets With(WireAssets assets, JsonElement item, string? generationType) =>
        (item.Member("type").Text() ?? generationType)?.Trim().ToLowerInvariant() switch
        {
            null or "video" or "video_edit" or "video_reframe" => assets with { Video = assets.Video ?? WireAssets.ReadVideo(item) },
            "image" or "image_edit" => assets with { Image = assets.Image ?? WireAssets.ReadImage(item) },
            "thumbnail" => assets with { Thumbnail = assets.Thumbnail ?? WireAssets.ReadImage(item) },
            "last_frame" => assets with { LastFrame = assets.LastFrame ?? WireAssets.ReadImage(item) },
            _ => assets,
        };
}
