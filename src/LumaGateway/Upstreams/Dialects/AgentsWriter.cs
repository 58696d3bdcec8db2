using System.Text.Json.Nodes;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>Creates of Luma's Agents API: the members of a video are in <c>video</c>, and a media reference is an object. It has no callbacks.</summary>
internal sealed class AgentsWriter : ICreateWriter
{
    /// <summary>The upstream documents ratios from 3:1 to 1:3.</summary>
    private const int MostRatio = 3;

    private const double LongDuration = 10;

    public UpstreamCreate Write(CreateFields fields)
    {
        fields.TakeOneOf("type", CreateFields.Video, CreateFields.Image);
        fields.Require("prompt", "a text");
        var source = fields.IsImage ? null : Reference(fields.Take("source_video"));
        var ratio = fields.TakeRatio(MostRatio);
        var body = new JsonObject()
            .With("prompt", fields.Take("prompt"))
            .With("type", fields.IsImage ? "image" : source is null ? "video" : "video_edit")
            .With("model", fields.IsImage ? fields.TakeOneOf("model", "uni-1", "uni-1-max") : fields.TakeOneOf("model", "ray-3.2"))
            .With("aspect_ratio", ratio is var (width, height) ? $"{width}:{height}" : null)
            .With("image_ref", WireBody.References(fields.TakeReferences()))
            .With("source", source)
            .With("video", fields.IsImage ? null : VideoOf(fields).OrNull())
            .With("user_id", fields.Defaults.UserId);
        return new UpstreamCreate("generations", body);
    }

    public (string Name, JsonNode Value)? CallbackMember(string url) => null;

    public string? ModelOf(JsonObject body) => body.Text("model");

    public bool HasUserId => true;

    private static JsonObject VideoOf(CreateFields fields)
    {
        var duration = fields.TakeDuration(5, LongDuration);
        var loop = fields.Take("loop");
        if (loop is not null && duration is LongDuration)
        {
            fields.Refuse("loop", "dialect agents cannot express it with a duration of 10 s; possible: a duration of 5 s");
        }

        return new JsonObject()
            .With("duration", duration is { } seconds ? $"{seconds:0}s" : null)
            .With("resolution", fields.TakeOneOf("resolution", "360p", "540p", "720p", "1080p"))
            .With("loop", loop)
            .With("start_frame", Reference(fields.Take("start_image")))
            .With("end_frame", Reference(fields.Take("end_image")));
    }

    private static JsonObject? Reference(JsonNode? url) => url is null ? null : new JsonObject { ["url"] = url };
}
