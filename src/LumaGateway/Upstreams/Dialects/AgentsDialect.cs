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

    public ICreateWriter Writer { get; } = new AgentsWriter();

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public IReadOnlyList<string> CreatePaths { get; } = ["generations"];

    public string? DeletePathOf(GenerationId id) => null;

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
                assets.Outputs,
                failure,
                assets.ExpiresAt),
            state.IsKnown);
    }

    private static WireAssets AssetsOf(JsonElement output, string? generationType)
    {
        var assets = new WireAssets();
        if (output.ValueKind is not JsonValueKind.Array)
        {
            Add(assets, output, generationType);
            return assets;
        }

        foreach (var item in output.EnumerateArray())
        {
            Add(assets, item, generationType);
        }

        return assets;
    }

    // An item without a type has the type of the generation: video, image, image_edit, …
    private static void Add(WireAssets assets, JsonElement item, string? generationType)
    {
        var type = item.Property("type").AsText() ?? generationType;
        var layer = LayerOf(item.Property("layer"));
        switch (type?.Trim().ToLowerInvariant())
        {
            case null or "" or "video" or "video_edit" or "video_reframe":
                assets.Add(WireAssets.ReadVideo(item), layer);
                break;
            case "image" or "image_edit" or "layering":
                assets.Add(WireAssets.ReadImage(item), OutputRole.Main, layer);
                break;
            case "thumbnail":
                assets.Add(WireAssets.ReadImage(item), OutputRole.Thumbnail);
                break;
            case "last_frame":
                assets.Add(WireAssets.ReadImage(item), OutputRole.LastFrame);
                break;
            default:
                assets.Add(type!, WireAssets.ReadVideo(item), layer); // such as the EXR file beside an HDR video, whose type is not documented
                break;
        }
    }

    private static OutputLayer? LayerOf(JsonElement layer) => layer.ValueKind is JsonValueKind.Object
        ? new OutputLayer(layer.Property("index").AsIndex(), layer.Property("label").AsText(), layer.Property("description").AsText(), layer.Property("alpha_hint").AsText())
        : null;
}
