using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// PiAPI: a wrapper with a <c>code</c>, in it a task with what was asked under <c>input</c> and a body of the relay family under
/// <c>output</c>. <c>error</c> is there on success too, with code 0.
/// </summary>
internal sealed class PiApiDialect : IUpstreamDialect
{
    public string Name => "piapi";

    public bool SignsUrls => false;

    public string PathOf(GenerationId id) => $"task/{id.Value}";

    public (string Name, string Value) Credential(string token) => ("x-api-key", token);

    public DialectResult Read(GenerationId asked, HttpStatusCode status, JsonElement body)
    {
        var wrapper = body.Unwrapped();
        WireCode.RequireGood(status, wrapper.Member("code"));
        WireFailure.RefuseError(wrapper);
        var task = wrapper.RequireObject().Member("data").RequireObject();
        task.Member("task_id").RequireIdIs(asked);

        var output = task.Member("output").Unwrapped();
        var state = WireState.Read(task.Member("status"), output.Member("internal_state"));
        var failure = WireFailure.Read(state, task, output);
        var input = task.Member("input");
        var assets = RelayAssets.Read(output);

        return new DialectResult(
            new Generation(
                asked.Value,
                state.State,
                CreatedAt: task.Member("created_at").Time() ?? output.Member("created_at").Time(),
                Model: input.Member("model_name").Text() ?? task.Member("model").Text(),
                Prompt: input.Member("prompt").Text() ?? output.Member("prompt").Text(),
                AspectRatio: input.Member("aspect_ratio").Text() ?? output.Member("aspect_ratio").Text(),
                assets.Video,
                assets.Image,
                assets.Thumbnail,
                assets.LastFrame,
                failure,
                assets.ExpireAt),
            state.IsKnown);
    }
}
