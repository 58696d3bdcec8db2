using System.Text.Json.Nodes;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Creates of Luma's Dream Machine API: one path for videos and one for images. The API requires a model; a create without one gets the default of its type.
/// </summary>
internal sealed class DreamMachineWriter : ICreateWriter
{
    private const int MinPrompt = 3;
    private const int MaxPrompt = 5000;

    private static readonly string[] Ratios = ["1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21"];

    public UpstreamCreate Write(CreateFields fields)
    {
        fields.TakeOneOf("type", CreateFields.Video, CreateFields.Image);
        var prompt = fields.Take("prompt");
        if (prompt?.GetValue<string>().EnumerateRunes().Count() is < MinPrompt or > MaxPrompt)
        {
            fields.Refuse("prompt", $"dialect dream-machine cannot express its length; possible: {MinPrompt} to {MaxPrompt} characters");
        }

        var body = new JsonObject()
            .With("model", fields.IsImage ? ModelOf(fields, "photon-1", "photon-flash-1") : ModelOf(fields, "ray-2", "ray-flash-2"))
            .With("prompt", prompt)
            .With("aspect_ratio", fields.TakeOneOf("aspect_ratio", Ratios));
        if (fields.IsImage)
        {
            body.With("image_ref", WireBody.References(fields.TakeReferences()));
        }
        else
        {
            var keyframes = new JsonObject().With("frame0", WireBody.Frame(fields.Take("start_image"))).With("frame1", WireBody.Frame(fields.Take("end_image")));
            body.With("duration", fields.TakeDurationText(5, 9))
                .With("resolution", fields.TakeOneOf("resolution", "540p", "720p", "1080p", "4k"))
                .With("loop", fields.Take("loop"))
                .With("keyframes", keyframes.OrNull());
        }

        body.With(fields.TakeCallback() is { } url ? CallbackMember(url) : null);
        return new UpstreamCreate(fields.IsImage ? "generations/image" : "generations/video", body);
    }

    public (string Name, JsonNode Value)? CallbackMember(string url) => ("callback_url", url);

    public string? ModelOf(JsonObject body) => body.Text("model");

    public bool HasUserId => false;

    /// <summary>The first model is the default.</summary>
    private static string? ModelOf(CreateFields fields, params string[] models) => fields.TakeOneOf("model", models) ?? (fields.HasOption("model") ? null : models[0]);
}
