using System.Text.Json.Nodes;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>The fields of a create by name, without <c>options</c>. Pure.</summary>
internal static class GivenFields
{
    /// <summary>The fields with a value. Null, an empty list and <c>loop: false</c> ask for nothing, so they are not given.</summary>
    public static Dictionary<string, object> Of(CreateGenerationRequest request)
    {
        var given = new Dictionary<string, object>(StringComparer.Ordinal);
        Add("type", request.Type);
        Add("prompt", request.Prompt);
        Add("model", request.Model);
        Add("aspect_ratio", request.AspectRatio);
        Add("duration", request.Duration);
        Add("resolution", request.Resolution);
        Add("loop", request.Loop is true ? true : null);
        Add("start_image", request.StartImage);
        Add("end_image", request.EndImage);
        Add("source_video", request.SourceVideo);
        Add("reference_images", request.ReferenceImages is { Count: > 0 } images ? images : null);
        Add("negative_prompt", request.NegativePrompt);
        Add("seed", request.Seed);
        Add("callback_url", request.CallbackUrl);
        return given;

        void Add(string name, object? value)
        {
            if (value is not null)
            {
                given[name] = value;
            }
        }
    }

    /// <summary>A value as JSON.</summary>
    public static JsonNode NodeOf(object value) => value switch
    {
        string text => JsonValue.Create(text),
        double number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        bool flag => JsonValue.Create(flag),
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };
}
