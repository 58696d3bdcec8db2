using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// The relay that this project started from, and its family: the clean file beside the watermarked one, everything repeated under
/// <c>artifact</c>, and in older variants the prompt at the top level.
/// </summary>
internal sealed class RelayDialect : IUpstreamDialect
{
    public string Name => "relay";

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
        var assets = RelayAssets.Read(answer);

        return new DialectResult(
            new Generation(
                asked.Value,
                state.State,
                CreatedAt: answer.Member("created_at").Time() ?? answer.Member("artifact").Member("created_at").Time(),
                Model: answer.Member("model").Text() ?? request.Member("model").Text(),
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
}
