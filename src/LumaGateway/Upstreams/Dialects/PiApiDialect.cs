using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// PiAPI: a wrapper with a <c>code</c>, which contains a task with the request in <c>input</c> and a body of the relay family in <c>output</c>. A
/// successful response has an <c>error</c> with code 0.
/// </summary>
internal sealed class PiApiDialect : IUpstreamDialect
{
    public string Name => "piapi";

    public bool SignsUrls => false;

    public string PathOf(GenerationId id) => $"task/{id.Value}";

    public (string Name, string Value) Credential(string token) => ("x-api-key", token);

    public DialectResult Read(GenerationId id, HttpStatusCode status, JsonElement body)
    {
        var wrapper = body.UnwrapArray();
        WireCode.RequireSuccess(status, wrapper.Property("code"));
        WireFailure.RejectError(wrapper);
        var task = wrapper.RequireObject().Property("data").RequireObject();
        task.Property("task_id").RequireId(id);

        var output = task.Property("output").UnwrapArray();
        var state = WireState.Read(task.Property("status"), output.Property("internal_state"));
        var failure = WireFailure.Read(state, task, output);
        var input = task.Property("input");
        var assets = RelayAssets.Read(output);

        return new DialectResult(
            new Generation(
                id.Value,
                state.State,
                CreatedAt: task.Property("created_at").AsTime() ?? output.Property("created_at").AsTime(),
                Model: input.Property("model_name").AsText() ?? task.Property("model").AsText(),
                Prompt: input.Property("prompt").AsText() ?? output.Property("prompt").AsText(),
                AspectRatio: input.Property("aspect_ratio").AsText() ?? output.Property("aspect_ratio").AsText(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpiresAt),
            state.IsKnown);
    }
}
