using System.Text.Json;
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
        RefuseLoop(fields, loop is not null, duration);
        return new JsonObject()
            .With("duration", duration is { } seconds ? $"{seconds:0}s" : null)
            .With("resolution", fields.TakeOneOf("resolution", "360p", "540p", "720p", "1080p"))
            .With("loop", loop)
            .With("start_frame", Reference(fields.Take("start_image")))
            .With("end_frame", Reference(fields.Take("end_image")));
    }

    /// <summary>
    /// The upstream has no <c>loop</c> with 10 s or <c>hdr</c>. Refuses a field that conflicts with another field or with the options. Options that conflict with each other
    /// are the upstream's to refuse.
    /// </summary>
    private static void RefuseLoop(CreateFields fields, bool isField, double? duration)
    {
        var isOption = IsTrue(fields.Option("video", "loop"));
        if (isField ? duration is LongDuration || (duration is null && IsLong(fields.Option("video", "duration"))) : isOption && duration is LongDuration)
        {
            fields.Refuse(isField ? "loop" : "options.agents.video.loop", "dialect agents cannot express it with a duration of 10 s; possible: a duration of 5 s");
        }

        if (isField && IsTrue(fields.Option("video", "hdr")))
        {
            fields.Refuse("loop", "dialect agents cannot express it with hdr; possible: a video without hdr");
        }
    }

    private static bool IsTrue(JsonNode? option) => option?.GetValueKind() is JsonValueKind.True;

    private static bool IsLong(JsonNode? option) => option?.GetValueKind() is JsonValueKind.String && option.GetValue<string>() is "10s";

    private static JsonObject? Reference(JsonNode? url) => url is null ? null : new JsonObject { ["url"] = url };
}
