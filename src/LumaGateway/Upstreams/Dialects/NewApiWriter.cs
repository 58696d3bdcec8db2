using System.Globalization;
using System.Text.Json.Nodes;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams.Dialects;

/// <summary>
/// Creates of relays in the style of new-api: videos only, with a model of the relay's own list, and a size in pixels for aspect ratio and resolution.
/// </summary>
internal sealed class NewApiWriter : ICreateWriter
{
    private const int MaxPixels = 4320;

    public UpstreamCreate Write(CreateFields fields)
    {
        fields.TakeOneOf("type", CreateFields.Video);
        fields.Require("model", "a model of the relay");
        var (width, height) = SizeOf(fields);
        var body = new JsonObject()
            .With("model", fields.Take("model"))
            .With("prompt", fields.Take("prompt"))
            .With("image", fields.Take("start_image"))
            .With("duration", fields.TakeDuration())
            .With("width", width)
            .With("height", height)
            .With("seed", fields.Take("seed"));
        return new UpstreamCreate("generations", body);
    }

    public (string Name, JsonNode Value)? CallbackMember(string url) => null;

    public string? ModelOf(JsonObject body) => body.Text("model");

    public bool HasUserId => false;

    /// <summary>The resolution is the shorter side, such as 720p: 16:9 is 1280 by 720 pixels. Each of the two fields needs the other one.</summary>
    private static (int? Width, int? Height) SizeOf(CreateFields fields)
    {
        var ratio = fields.TakeRatio();
        var resolution = fields.Take("resolution")?.GetValue<string>();
        if (resolution is null)
        {
            return ratio is null ? (null, null) : Refuse("aspect_ratio", "it without resolution; possible: both");
        }

        if (!(resolution is [.. var digits, 'p'] && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side is > 0 and <= MaxPixels))
        {
            return Refuse("resolution", $"this value; possible: a number of pixels up to {MaxPixels} and p, such as 720p");
        }

        if (ratio is not var (width, height))
        {
            return Refuse("resolution", "it without aspect_ratio; possible: both");
        }

        var longer = LongerSide(side, (double)Math.Max(width, height) / Math.Min(width, height));
        return width >= height ? (longer, side) : (side, longer);

        (int? Width, int? Height) Refuse(string name, string reason)
        {
            fields.Refuse(name, $"dialect new-api cannot express {reason}");
            return (null, null);
        }
    }

    /// <summary>An even number of pixels, as video codecs require.</summary>
    private static int LongerSide(int shorter, double ratio) => (int)(Math.Round(shorter * ratio / 2) * 2);
}
