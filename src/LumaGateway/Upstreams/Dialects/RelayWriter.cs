using System.Text.Json.Nodes;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>Creates of the relay family: videos only, <c>user_prompt</c> for the prompt, <c>notify_hook</c> for callbacks.</summary>
internal sealed class RelayWriter : ICreateWriter
{
    public UpstreamCreate Write(CreateFields fields)
    {
        fields.TakeOneOf("type", CreateFields.Video);
        var ratio = fields.TakeRatio();
        var body = new JsonObject()
            .With("user_prompt", fields.Take("prompt"))
            .With("model_name", fields.TakeOneOf("model", "ray-v1", "ray-v2", "ray-v3"))
            .With("aspect_ratio", ratio is var (width, height) ? $"{width}:{height}" : null)
            .With("duration", fields.TakeDurationText(5))
            .With("resolution", fields.TakeOneOf("resolution", "540p", "720p", "1080p"))
            .With("loop", fields.Take("loop"))
            .With("image_url", fields.Take("start_image"))
            .With("image_end_url", fields.Take("end_image"))
            .With(fields.TakeCallback() is { } url ? CallbackMember(url) : null);
        return new UpstreamCreate("generations", body);
    }

    public (string Name, JsonNode Value)? CallbackMember(string url) => ("notify_hook", url);

    public string? ModelOf(JsonObject body) => body.Text("model_name");

    public bool HasUserId => false;
}
