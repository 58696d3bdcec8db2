using System.Text.Json;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Why an upstream refused a create, in the shapes of all dialects. The texts are the upstream's own: <see cref="PublicText"/> makes them public. Pure.</summary>
/// <param name="Reasons">The reasons, each with the upstream's name of the field if it names one.</param>
/// <param name="IsModerated">Whether the content was refused.</param>
/// <param name="IsOutOfCredit">Whether the account has too little credit.</param>
internal sealed record WireRefusal(IReadOnlyList<WireReason> Reasons, bool IsModerated, bool IsOutOfCredit)
{
    private const int MaxReasons = 10;

    /// <summary>The fields of a create by the names of the upstreams.</summary>
    private static readonly Dictionary<string, string> Fields = new(StringComparer.Ordinal)
    {
        ["user_prompt"] = "prompt",
        ["model_name"] = "model",
        ["image_url"] = "start_image",
        ["image"] = "start_image",
        ["frame0"] = "start_image",
        ["start_frame"] = "start_image",
        ["image_end_url"] = "end_image",
        ["frame1"] = "end_image",
        ["end_frame"] = "end_image",
        ["image_ref"] = "reference_images",
        ["source"] = "source_video",
        ["notify_hook"] = "callback_url",
        ["webhook_config"] = "callback_url",
    };

    /// <summary>The fields that have the same name at the upstreams.</summary>
    private static readonly string[] SameFields = ["type", "prompt", "model", "aspect_ratio", "duration", "resolution", "loop", "negative_prompt", "seed", "callback_url"];

    public static WireRefusal Read(JsonElement body)
    {
        var root = body.UnwrapJson();
        var inner = root.Property("data").UnwrapJson();
        var reasons = new List<WireReason>();
        AddDetail(reasons, root.Property("detail"));
        AddError(reasons, root.Property("error"));
        AddError(reasons, inner.Property("error"));
        if (reasons.Count == 0)
        {
            AddError(reasons, root);
        }

        string[] words = [.. reasons.Select(reason => reason.Text), .. CodesOf(root, inner)];
        return new WireRefusal(reasons, words.Any(IsModeration), words.Any(IsCredit));
    }

    private static void AddDetail(List<WireReason> reasons, JsonElement detail)
    {
        if (detail.ValueKind is not JsonValueKind.Array)
        {
            AddError(reasons, detail);
            return;
        }

        // FastAPI's list: [{"type", "loc": ["body", "keyframes", "frame0", "url"], "msg"}].
        foreach (var item in detail.EnumerateArray().Take(MaxReasons))
        {
            if (item.Property("msg").AsText() is { } text)
            {
                reasons.Add(new WireReason(FieldOf(item.Property("loc")), text));
            }
        }
    }

    private static void AddError(List<WireReason> reasons, JsonElement error)
    {
        var text = (error.ValueKind is JsonValueKind.String ? error.AsText() : null)
            ?? error.Property("message").AsText() ?? error.Property("reason").AsText() ?? error.Property("raw_message").AsText() ?? error.Property("detail").AsText();
        if (text is not null)
        {
            reasons.Add(new WireReason(error.Property("param").AsText() is { } name ? FieldOf([name]) : null, text));
        }
    }

    private static string? FieldOf(JsonElement location) =>
        location.ValueKind is JsonValueKind.Array ? FieldOf([.. location.EnumerateArray().Select(part => part.AsText() ?? "")]) : null;

    /// <summary>The innermost part that is a field of the create, otherwise the upstream's own name without <c>body</c>.</summary>
    private static string? FieldOf(string[] location)
    {
        foreach (var part in location.Reverse())
        {
            if (Fields.TryGetValue(part, out var field))
            {
                return field;
            }

            if (SameFields.Contains(part))
            {
                return part;
            }
        }

        var path = string.Join('.', location.Where(part => part is not ("" or "body")));
        return path.Length > 0 ? path : null;
    }

    private static IEnumerable<string> CodesOf(JsonElement root, JsonElement inner) =>
        new[] { root.Property("code"), root.Property("error").Property("code"), root.Property("error").Property("type"), root.Property("detail").Property("code"), root.Property("failure_code"), inner.Property("error").Property("code") }
            .Select(code => code.AsText())
            .OfType<string>();

    private static bool IsModeration(string text) =>
        Contains(text, "moderat") || Contains(text, "nsfw") || Contains(text, "content policy") || Contains(text, "content_policy") || Contains(text, "sensitive content");

    private static bool IsCredit(string text) =>
        Contains(text, "insufficient") && (Contains(text, "quota") || Contains(text, "balance") || Contains(text, "credit") || Contains(text, "fund"));

    private static bool Contains(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
}

/// <summary>One reason of a refusal.</summary>
/// <param name="Field">The field of the create, or the upstream's name of it; null if the upstream names none.</param>
/// <param name="Text">The upstream's text.</param>
internal readonly record struct WireReason(string? Field, string Text);
