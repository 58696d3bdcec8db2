using System.Globalization;
using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Luma's Dream Machine API: assets are bare, unsigned links under <c>assets</c>; <c>type</c> and <c>version</c> have been seen
/// for <c>generation_type</c> and <c>model</c>.
/// </summary>
internal sealed class DreamMachineDialect : IListingDialect
{
    public string Name => "dream-machine";

    public bool SignsUrls => false;

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
        var assets = AssetsOf(answer, request);

        return new DialectResult(
            new Generation(
                asked.Value,
                state.State,
                CreatedAt: answer.Member("created_at").Time(),
                Model: answer.Member("model").Text() ?? answer.Member("version").Text() ?? request.Member("model").Text(),
                Prompt: request.Member("prompt").Text() ?? answer.Member("prompt").Text(),
                AspectRatio: request.Member("aspect_ratio").Text() ?? answer.Member("aspect_ratio").Text(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpireAt),
            state.IsKnown);
    }

    public string PathOfList(int limit, int offset) => string.Create(CultureInfo.InvariantCulture, $"generations?limit={limit}&offset={offset}");

    public DialectPage ReadList(HttpStatusCode status, JsonElement body)
    {
        WireStatus.RequireOk(status);
        var page = body.RequireObject();
        var listed = page.Member("generations");
        if (listed.ValueKind is not JsonValueKind.Array)
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The list holds no generations.");
        }

        var answers = new List<DialectResult>(listed.GetArrayLength());
        foreach (var item in listed.EnumerateArray())
        {
            if (!GenerationId.TryParse(item.Member("id").Text(), null, out var id))
            {
                continue;
            }

            try
            {
                answers.Add(Read(id, status, item));
            }
            catch (UpstreamException)
            {
                // One that cannot be read spoils no others: asked for alone, it says why.
            }
        }

        return new DialectPage(answers, listed.GetArrayLength(), page.Member("has_more").ValueKind is JsonValueKind.True);
    }

    private static WireAssets AssetsOf(JsonElement answer, JsonElement request)
    {
        var assets = answer.Member("assets");
        if (assets.ValueKind is JsonValueKind.String)
        {
            return IsImage(answer, request)
                ? new WireAssets(Image: WireAssets.ReadImage(assets))
                : new WireAssets(Video: WireAssets.ReadVideo(assets));
        }

        // progress_video is a preview of unfinished work and never the answer.
        return new WireAssets(
            WireAssets.ReadVideo(assets.Member("video")),
            WireAssets.ReadImage(assets.Member("image")),
            WireAssets.ReadImage(assets.Member("thumbnail")),
            WireAssets.ReadImage(assets.Member("last_frame")));
    }

    private static bool IsImage(JsonElement answer, JsonElement request)
    {
        var type = answer.Member("generation_type").Text() ?? answer.Member("type").Text() ?? request.Member("generation_type").Text();
        return "image".Equals(type?.Trim(), StringComparison.OrdinalIgnoreCase);
    }
}
