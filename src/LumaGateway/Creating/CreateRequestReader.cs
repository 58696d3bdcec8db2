using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Creating;

/// <summary>
/// Reads the body of a create strictly: an unknown key, a key that occurs twice, and a value of a wrong type are faults, each with the name of the field. Null is the
/// same as a missing key. Pure; for one body.
/// </summary>
/// <param name="dialects">The names that <c>options</c> can have.</param>
internal sealed class CreateRequestReader(IReadOnlyList<string> dialects)
{
    private const string Known = "type, prompt, model, aspect_ratio, duration, resolution, loop, start_image, end_image, source_video, reference_images, negative_prompt, seed, callback_url, options";
    private const string Url = "must be an absolute http or https URL";
    private const int MaxFaults = 20;

    private readonly SortedDictionary<string, List<string>> _faults = new(StringComparer.Ordinal);

    /// <summary>The reasons for each refused field.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Faults =>
        _faults.ToDictionary(fault => fault.Key, fault => (IReadOnlyList<string>)fault.Value, StringComparer.Ordinal);

    /// <summary>Returns the request; null if there are <see cref="Faults"/>.</summary>
    /// <param name="body">A JSON object.</param>
    public CreateGenerationRequest? Read(JsonElement body)
    {
        var request = new CreateGenerationRequest();
        foreach (var (name, value) in MembersOf(body, path: ""))
        {
            request = value.ValueKind is JsonValueKind.Null ? request : Apply(request, name, value);
        }

        if (_faults.Count == 0 && request is { Prompt: null, StartImage: null, EndImage: null, SourceVideo: null, ReferenceImages: null or [] })
        {
            AddFault("prompt", "is required without a source: start_image, end_image, source_video or reference_images");
        }

        return _faults.Count == 0 ? request : null;
    }

    private CreateGenerationRequest Apply(CreateGenerationRequest request, string name, JsonElement value) => name switch
    {
        "type" => request with { Type = TypeOf(name, value) },
        "prompt" => request with { Prompt = TextOf(name, value) },
        "model" => request with { Model = TextOf(name, value) },
        "aspect_ratio" => request with { AspectRatio = TextOf(name, value) },
        "duration" => request with { Duration = SecondsOf(name, value) },
        "resolution" => request with { Resolution = TextOf(name, value) },
        "loop" => request with { Loop = value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : Fault<bool?>(name, "must be true or false") },
        "start_image" => request with { StartImage = value.AsUrl() ?? Fault<string>(name, Url) },
        "end_image" => request with { EndImage = value.AsUrl() ?? Fault<string>(name, Url) },
        "source_video" => request with { SourceVideo = value.AsUrl() ?? Fault<string>(name, Url) },
        "reference_images" => request with { ReferenceImages = UrlsOf(name, value) },
        "negative_prompt" => request with { NegativePrompt = TextOf(name, value) },
        "seed" => request with { Seed = value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var seed) ? seed : Fault<long?>(name, "must be a whole number") },
        "callback_url" => request with { CallbackUrl = value.AsUrl() ?? Fault<string>(name, Url) },
        "options" => request with { Options = OptionsOf(name, value) },
        _ => Fault(name, $"is unknown; the keys are {Known}", request)!,
    };

    private string? TypeOf(string name, JsonElement value) => TextOf(name, value) switch
    {
        null => null,
        "video" => "video",
        "image" => "image",
        _ => Fault<string>(name, "must be video or image"),
    };

    private string? TextOf(string name, JsonElement value) =>
        value.ValueKind is JsonValueKind.String ? value.AsText() ?? Fault<string>(name, "must not be empty, and must be valid Unicode") : Fault<string>(name, "must be a text");

    private double? SecondsOf(string name, JsonElement value) =>
        value.ValueKind is JsonValueKind.Number && value.AsSeconds() is > 0 and var seconds ? seconds : Fault<double?>(name, "must be a positive number of seconds");

    private List<string> UrlsOf(string name, JsonElement value)
    {
        List<string> urls = [];
        if (value.ValueKind is not JsonValueKind.Array)
        {
            AddFault(name, "must be a list of URLs");
            return urls;
        }

        foreach (var item in value.EnumerateArray())
        {
            if (item.AsUrl() is not { } url)
            {
                AddFault(name, $"has an item that is not valid: it {Url}");
                break;
            }

            urls.Add(url);
        }

        return urls;
    }

    private JsonObject? OptionsOf(string name, JsonElement value)
    {
        if (value.ValueKind is not JsonValueKind.Object)
        {
            return Fault<JsonObject>(name, "must be an object");
        }

        foreach (var (dialect, members) in MembersOf(value, name))
        {
            if (!dialects.Contains(dialect))
            {
                AddFault($"{name}.{dialect}", $"is not a dialect; the dialects are {string.Join(", ", dialects)}");
            }
            else if (members.ValueKind is not JsonValueKind.Object)
            {
                AddFault($"{name}.{dialect}", "must be an object");
            }

            Check(members, $"{name}.{dialect}");
        }

        return _faults.Count == 0 ? JsonObject.Create(value.Clone()) : null;
    }

    /// <summary>Finds keys that occur twice and texts that are not valid Unicode, at any depth.</summary>
    private void Check(JsonElement value, string path)
    {
        if (value.ValueKind is JsonValueKind.Object)
        {
            foreach (var (name, member) in MembersOf(value, path))
            {
                Check(member, $"{path}.{name}");
            }
        }
        else if (value.ValueKind is JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray())
            {
                Check(item, path);
            }
        }
        else if (value.ValueKind is JsonValueKind.String && Decode(value.GetString) is null)
        {
            AddFault(path, "must be valid Unicode");
        }
    }

    /// <summary>The members with a valid name; the first of several with one name.</summary>
    private List<(string Name, JsonElement Value)> MembersOf(JsonElement body, string path)
    {
        var prefix = path.Length > 0 ? path + "." : "";
        var names = new HashSet<string>(StringComparer.Ordinal);
        List<(string, JsonElement)> members = [];
        foreach (var member in body.EnumerateObject())
        {
            if (Decode(() => member.Name) is not { } name)
            {
                AddFault(prefix + "?", "is a name that is not valid Unicode");
            }
            else if (!names.Add(name))
            {
                AddFault(prefix + name, "occurs twice");
            }
            else
            {
                members.Add((name, member.Value));
            }
        }

        return members;
    }

    /// <summary>Null for a name or a text with an unpaired surrogate or invalid UTF-8, which cannot be read.</summary>
    private static string? Decode(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private T? Fault<T>(string name, string reason, T? result = default)
    {
        AddFault(name, reason);
        return result;
    }

    /// <summary>A caller can send thousands of wrong keys; the problem has the first ones.</summary>
    private void AddFault(string name, string reason)
    {
        var shown = CreateFields.Quoted(name);
        if (_faults.TryGetValue(shown, out var reasons))
        {
            if (!reasons.Contains(reason) && reasons.Count < MaxFaults)
            {
                reasons.Add(reason);
            }
        }
        else if (_faults.Count < MaxFaults)
        {
            _faults[shown] = [reason];
        }
    }
}
