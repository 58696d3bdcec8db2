using System.Globalization;
using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Luma's Dream Machine API: <c>assets</c> contains unsigned URLs. Some responses use <c>type</c> and <c>version</c> for <c>generation_type</c> and
/// <c>model</c>.
/// </summary>
internal sealed class DreamMachineDialect : IListingDialect
{
    public string Name => "dream-machine";

    public bool SignsUrls => false;

    public ICreateWriter Writer { get; } = new DreamMachineWriter();

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public IReadOnlyList<string> CreatePaths { get; } =
    [
        "generations", "generations/video", "generations/video/modify", "generations/video/reframe", "generations/image", "generations/image/reframe",
    ];

    public string? DeletePathOf(GenerationId id) => PathOf(id);

    public (string Name, string Value) Credential(string token) => ("Authorization", $"Bearer {token}");

    public DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body)
    {
        WireStatus.RequireOk(status);
        var root = body.RequireObject();
        root.Property("id").RequireId(id);

        var state = WireState.Read(root.Property("state"));
        var failure = WireFailure.Read(state, root);
        var request = root.Property("request");
        var assets = AssetsOf(root, request);

        return new DialectResult(
            new Generation(
                id.Value,
                state.State,
                CreatedAt: root.Property("created_at").AsTime(),
                Model: root.Property("model").AsText() ?? root.Property("version").AsText() ?? request.Property("model").AsText(),
                Prompt: request.Property("prompt").AsText() ?? root.Property("prompt").AsText(),
                AspectRatio: request.Property("aspect_ratio").AsText() ?? root.Property("aspect_ratio").AsText(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                assets.Outputs,
                failure,
                assets.ExpiresAt),
            state.IsKnown);
    }

    public string PathOfList(int limit, int offset) => string.Create(CultureInfo.InvariantCulture, $"generations?limit={limit}&offset={offset}");

    public DialectPage ReadList(HttpStatusCode status, JsonElement body)
    {
        WireStatus.RequireOk(status);
        var page = body.RequireObject();
        var items = page.Property("generations");
        if (items.ValueKind is not JsonValueKind.Array)
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The list has no array of generations.");
        }

        var results = new List<DialectResult>(items.GetArrayLength());
        foreach (var item in items.EnumerateArray())
        {
            if (!GenerationId.TryParse(item.Property("id").AsText(), null, out var id))
            {
                continue;
            }

            try
            {
                results.Add(Read(id, status, item));
            }
            catch (UpstreamException)
            {
                // The other generations of the page are still usable. A read of this generation reports the reason.
            }
        }

        return new DialectPage(results, items.GetArrayLength(), page.Property("has_more").ValueKind is JsonValueKind.True);
    }

    private static WireAssets AssetsOf(JsonElement root, JsonElement request)
    {
        var result = new WireAssets();
        var assets = root.Property("assets");
        if (assets.ValueKind is not JsonValueKind.String)
        {
            // progress_video is a preview during processing, not a result.
            result.Add(WireAssets.ReadVideo(assets.Property("video")));
            result.Add(WireAssets.ReadImage(assets.Property("image")), OutputRole.Main);
            result.Add(WireAssets.ReadImage(assets.Property("thumbnail")), OutputRole.Thumbnail);
            result.Add(WireAssets.ReadImage(assets.Property("last_frame")), OutputRole.LastFrame);
        }
        else if (IsImage(root, request))
        {
            result.Add(WireAssets.ReadImage(assets), OutputRole.Main);
        }
        else
        {
            result.Add(WireAssets.ReadVideo(assets));
        }

        return result;
    }

    private static bool IsImage(JsonElement root, JsonElement request)
    {
        var type = root.Property("generation_type").AsText() ?? root.Property("type").AsText() ?? request.Property("generation_type").AsText();
        return "image".Equals(type?.Trim(), StringComparison.OrdinalIgnoreCase);
    }
}
