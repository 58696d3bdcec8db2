using System.Text.Json.Nodes;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>Creates of PiAPI: a task with the request in <c>input</c>. Videos only.</summary>
internal sealed class PiApiWriter : ICreateWriter
{
    public UpstreamCreate Write(CreateFields fields)
    {
        fields.TakeOneOf("type", CreateFields.Video);
        var ratio = fields.TakeRatio();
        var frames = new JsonObject().With("frame0", WireBody.Frame(fields.Take("start_image"))).With("frame1", WireBody.Frame(fields.Take("end_image")));
        var input = new JsonObject()
            .With("prompt", fields.Take("prompt"))
            .With("model_name", fields.Take("model"))
            .With("duration", fields.TakeDuration())
            .With("aspect_ratio", ratio is var (width, height) ? $"{width}:{height}" : null)
            .With("key_frames", frames.OrNull());
        var body = new JsonObject { ["model"] = "luma", ["task_type"] = "video_generation", ["input"] = input };
        return new UpstreamCreate("task", body.With(fields.TakeCallback() is { } url ? CallbackMember(url) : null));
    }

    public (string Name, JsonNode Value)? CallbackMember(string url) => ("config", new JsonObject { ["webhook_config"] = new JsonObject { ["endpoint"] = url } });

    public string? ModelOf(JsonObject body) => (body["input"] as JsonObject)?.Text("model_name");

    public bool HasUserId => false;
}
