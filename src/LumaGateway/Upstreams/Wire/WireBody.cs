using System.Text.Json.Nodes;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Writes the body of an upstream request: a member without a value is left out. Pure.</summary>
internal static class WireBody
{
    /// <summary>Adds a member, unless the value is null. Returns the object.</summary>
    public static JsonObject With(this JsonObject body, string name, JsonNode? value)
    {
        if (value is not null)
        {
            body[name] = value;
        }

        return body;
    }

    /// <summary>Adds a member, unless it is null. Returns the object.</summary>
    public static JsonObject With(this JsonObject body, (string Name, JsonNode Value)? member) => member is var (name, value) ? body.With(name, value) : body;

    /// <summary>The object; null if it has no members.</summary>
    public static JsonObject? OrNull(this JsonObject body) => body.Count > 0 ? body : null;

    /// <summary>The value of a member; null if it is missing or not a text.</summary>
    public static string? Text(this JsonObject body, string name) => body[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>A key frame; null without a URL.</summary>
    public static JsonObject? Frame(JsonNode? url) => url is null ? null : new JsonObject { ["type"] = "image", ["url"] = url };

    /// <summary>Media references; null without URLs.</summary>
    public static JsonArray? References(IReadOnlyList<string>? urls) =>
        urls is null ? null : new JsonArray([.. urls.Select(static url => (JsonNode)new JsonObject { ["url"] = url })]);
}
