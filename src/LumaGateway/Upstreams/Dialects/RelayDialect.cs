using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Relays of one family: a video with and one without watermark, a copy of everything in <c>artifact</c>, and in older variants the prompt at the top
/// level.
/// </summary>
internal sealed class RelayDialect : IUpstreamDialect
{
    public string Name => "relay";

    public bool SignsUrls => false;

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
        var assets = RelayAssets.Read(root);

        return new DialectResult(
            new Generation(
                id.Value,
                state.State,
                CreatedAt: root.Property("created_at").AsTime() ?? root.Property("artifact").Property("created_at").AsTime(),
                Model: root.Property("model").AsText() ?? request.Property("model").AsText(),
                Prompt: request.Property("prompt").AsText() ?? root.Property("prompt").AsText(),
                AspectRatio: request.Property("aspect_ratio").AsText() ?? root.Property("aspect_ratio").AsText(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpiresAt),
            state.IsKnown);
    }
}
