using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Relays in the style of new-api: a wrapper with a <c>code</c>, which contains a task with unix times, which may contain a body of the relay family. The
/// task's id and status take precedence. "Not found" is a 400.
/// </summary>
internal sealed class NewApiDialect : IUpstreamDialect
{
    public string Name => "new-api";

    public bool SignsUrls => false;

    public string PathOf(GenerationId id) => $"generations/{id.Value}";

    public (string Name, string Value) Credential(string token) => ("Authorization", $"Bearer {token}");

    public DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body)
    {
        var wrapper = body.UnwrapArray();
        WireCode.RequireSuccess(status, wrapper.Property("code"));
        WireFailure.RejectError(wrapper);
        var task = wrapper.RequireObject().Property("data").RequireObject();
        task.Property("task_id").RequireId(id);

        var inner = task.Property("data").UnwrapArray();
        var state = WireState.Read(task.Property("status"), inner.Property("state"));
        var failure = WireFailure.Read(state, task, inner);
        var request = inner.Property("request");
        var assets = AssetsOf(task, inner, state);

        return new DialectResult(
            new Generation(
                id.Value,
                state.State,
                CreatedAt: task.Property("created_at").AsTime() ?? task.Property("submit_time").AsTime() ?? inner.Property("created_at").AsTime(),
                Model: task.Property("model").AsText() ?? inner.Property("model").AsText() ?? request.Property("model").AsText(),
                Prompt: request.Property("prompt").AsText() ?? inner.Property("prompt").AsText(),
                AspectRatio: request.Property("aspect_ratio").AsText() ?? inner.Property("aspect_ratio").AsText(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpiresAt),
            state.IsKnown);
    }

    // The inner body distinguishes the video without watermark. Without an inner body, the task has one URL; old tasks have it in fail_reason.
    private static WireAssets AssetsOf(JsonElement task, JsonElement inner, WireState state)
    {
        var assets = RelayAssets.Read(inner);
        var video = assets.Video ?? WireAssets.ReadVideo(task.Property("result_url"));
        return state.State is GenerationState.Completed
            ? assets with { Video = video ?? WireAssets.ReadVideo(task.Property("fail_reason")) }
            : assets with { Video = video };
    }
}
