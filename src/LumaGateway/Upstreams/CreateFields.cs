using System.Globalization;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams;

/// <summary>
/// The given fields of a create. A writer takes those that its dialect can express. Each field that is left, and each refused value, is in
/// <see cref="Faults"/>, so that no field is dropped silently. For one create.
/// </summary>
/// <param name="request">The request.</param>
/// <param name="dialect">The name of the dialect.</param>
/// <param name="defaults">What the gateway adds.</param>
internal sealed class CreateFields(CreateGenerationRequest request, string dialect, CreateDefaults defaults)
{
    public const string Video = "video";
    public const string Image = "image";

    private const int MaxQuoted = 64;

    private readonly Dictionary<string, object> _given = GivenFields.Of(request);
    private readonly List<string> _expressible = [];
    private readonly SortedDictionary<string, List<string>> _faults = new(StringComparer.Ordinal);

    /// <summary>What the gateway adds to the create.</summary>
    public CreateDefaults Defaults => defaults;

    /// <summary>Whether an image is to be created, otherwise a video.</summary>
    public bool IsImage => request.Type is Image;

    /// <summary>For each refused field the reasons. A name has dots within <c>options</c>.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Faults =>
        _faults.ToDictionary(fault => fault.Key, fault => (IReadOnlyList<string>)fault.Value, StringComparer.Ordinal);

    /// <summary>Writes the create, with the options of the dialect; null if <see cref="Faults"/> has any.</summary>
    public UpstreamCreate? Write(ICreateWriter writer)
    {
        var create = writer.Write(this);
        foreach (var name in _given.Keys)
        {
            Refuse(name, $"dialect {dialect} cannot express it{(IsImage ? " for an image" : "")}; possible: {string.Join(", ", _expressible.Distinct())}");
        }

        if (request.Options?[dialect] is JsonObject options)
        {
            Merge(options, create.Body, $"options.{dialect}");
        }

        return _faults.Count == 0 ? create : null;
    }

    /// <summary>Takes a field that the dialect can express; null if it is not given.</summary>
    public JsonNode? Take(string name) => TakeValue(name) is { } value ? GivenFields.NodeOf(value) : null;

    /// <summary>Takes a text whose values the upstream documents.</summary>
    public string? TakeOneOf(string name, params string[] values) => TakeValue(name) is not string text ? null
        : values.Contains(text) ? text
        : Refuse(name, $"dialect {dialect} cannot express '{Quoted(text)}'; possible: {string.Join(", ", values)}");

    /// <summary>Takes an aspect ratio of two whole numbers.</summary>
    /// <param name="most">The largest ratio of the longer to the shorter side.</param>
    public (int Width, int Height)? TakeRatio(int most = int.MaxValue)
    {
        if (TakeValue("aspect_ratio") is not string text)
        {
            return null;
        }

        if (text.Split(':') is [var left, var right] && IsSide(left, out var width) && IsSide(right, out var height)
            && (double)Math.Max(width, height) / Math.Min(width, height) <= most)
        {
            return (width, height);
        }

        Refuse("aspect_ratio", $"dialect {dialect} cannot express '{Quoted(text)}'; possible: two whole numbers, such as 16:9{(most < int.MaxValue ? $", from {most}:1 to 1:{most}" : "")}");
        return null;
    }

    /// <summary>Takes a duration in seconds. The upstream documents these values; without any, it documents no limit.</summary>
    public double? TakeDuration(params double[] values)
    {
        if (TakeValue("duration") is not double seconds)
        {
            return null;
        }

        if (values is [] || values.Contains(seconds))
        {
            return seconds;
        }

        Refuse("duration", $"dialect {dialect} cannot express {InvariantOf(seconds)} s; possible: {string.Join(", ", values.Select(InvariantOf))}");
        return null;
    }

    /// <summary>Takes a duration that the upstream writes as <c>5s</c>.</summary>
    public string? TakeDurationText(params double[] values) => TakeDuration(values) is { } seconds ? InvariantOf(seconds) + "s" : null;

    /// <summary>Takes the URLs of <c>reference_images</c>.</summary>
    public IReadOnlyList<string>? TakeReferences() => TakeValue("reference_images") as IReadOnlyList<string>;

    /// <summary>Takes <c>callback_url</c>, else the gateway's own address.</summary>
    public string? TakeCallback() => TakeValue("callback_url") as string ?? defaults.CallbackUrl;

    /// <summary>Whether the options of the dialect have this member.</summary>
    public bool HasOption(string member) => request.Options?[dialect] is JsonObject options && options.ContainsKey(member);

    /// <summary>A member of an object in the options of the dialect; null if it is missing.</summary>
    public JsonNode? Option(string outer, string inner) => request.Options?[dialect] is JsonObject options && options[outer] is JsonObject members ? members[inner] : null;

    /// <summary>Refuses a create without a field that the upstream requires, unless the options have the member of this name.</summary>
    public void Require(string name, string possible)
    {
        if (!HasOption(name) && !GivenFields.Of(request).ContainsKey(name))
        {
            Refuse(name, $"dialect {dialect} requires it; possible: {possible}");
        }
    }

    /// <summary>Refuses the value of a field, or a combination of fields. Returns null.</summary>
    public string? Refuse(string name, string reason)
    {
        if (!_faults.TryGetValue(name, out var reasons))
        {
            _faults[name] = reasons = [];
        }

        reasons.Add(reason);
        return null;
    }

    /// <summary>A caller's text, short enough for a problem. It is not cut within a character.</summary>
    public static string Quoted(string text) =>
        text.Length <= MaxQuoted ? text : $"{TextCut.Cut(text, MaxQuoted)}…";

    private object? TakeValue(string name)
    {
        _expressible.Add(name);
        return _given.Remove(name, out var value) ? value : null;
    }

    /// <summary>Adds members to the body. A member that a field has written is refused.</summary>
    private void Merge(JsonObject source, JsonObject target, string path)
    {
        foreach (var (name, value) in source)
        {
            if (!target.TryGetPropertyValue(name, out var existing))
            {
                target[name] = value?.DeepClone();
            }
            else if (existing is JsonObject inner && value is JsonObject more)
            {
                Merge(more, inner, $"{path}.{Quoted(name)}");
            }
            else
            {
                Refuse($"{path}.{Quoted(name)}", $"dialect {dialect} has this member already, from the other fields");
            }
        }
    }

    private static bool IsSide(string text, out int side) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out side) && side is > 0 and <= 10_000;

    private static string InvariantOf(double number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What the gateway adds to a create, if the dialect has a member for it.</summary>
/// <param name="CallbackUrl">The gateway's own callback address, for a create without one.</param>
/// <param name="UserId">The client's name, for the upstream's usage report.</param>
internal sealed record CreateDefaults(string? CallbackUrl = null, string? UserId = null);
