using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Relays in the style of new-api: a wrapper with a <c>code</c>, in it a task row with unix times, in that, where it is there, a body
/// of the relay family. The row's id and status count; "not found" is a 400.
/// </summary>
internal sealed class NewApiDialect : IUpstreamDialect
{
    public string Name => "new-api";

    public bool SignsUrls => false;

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public (string Name, string Value) Credential(string token) => ("Authorization", $"Bearer {token}");

    public DialectResult Read(GenerationId asked, HttpStatusCode status, JsonElement body)
    {
        var wrapper = body.Unwrapped();
        WireCode.RequireGood(status, wrapper.Member("code"));
        WireFailure.RefuseError(wrapper);
        var task = wrapper.RequireObject().Member("data").RequireObject();
        task.Member("task_id").RequireIdIs(asked);

        var inner = task.Member("data").Unwrapped();
        var state = WireState.Read(task.Member("status"), inner.Member("state"));
        var failure = WireFailure.Read(state, task, inner);
        var request = inner.Member("request");
        var assets = AssetsOf(task, inner, state);

        return new DialectResult(
            new Generation(
                asked.Value,
                state.State,
                CreatedAt: task.Member("created_at").Time() ?? task.Member("submit_time").Time() ?? inner.Member("created_at").Time(),
                Model: task.Member("model").Text() ?? inner.Member("model").Text() ?? request.Member("model").Text(),
                Prompt: request.Member("prompt").Text() ?? inner.Member("prompt").Text(),
                AspectRatio: request.Member("aspect_ratio").Text() ?? inner.Member("aspect_ratio").Text(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpireAt),
            state.IsKnown);
    }

    // The inner body says which file is clean; the row's own link, in old rows under fail_reason, is all there is without it.
    private static WireAssets AssetsOf(JsonElement task, JsonElement inner, WireState state)
    {
        var assets = RelayAssets.Read(inner);
        var video = assets.Video ?? WireAssets.ReadVideo(task.Member("result_url"));
        return state.State is GenerationState.Completed
            ? assets with { Video = video ?? WireAssets.ReadVideo(task.Member("fail_reason")) }
            : assets with { Video = video };
    }
}
