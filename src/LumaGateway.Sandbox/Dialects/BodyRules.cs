using System.Text.Json;
using System.Text.Json.Nodes;

namespace LumaGateway.Sandbox.Dialects;

/// <summary>
/// What an upstream accepts in the body of a create: its documented members with their types and values. Null is the same as a missing member. Any other member is
/// refused.
/// </summary>
/// <param name="required">The members that must be there.</param>
/// <param name="members">The check of each member.</param>
internal sealed class BodyRules(string[] required, params (string Name, MemberCheck Check)[] members)
{
    private readonly Dictionary<string, MemberCheck> _members = members.ToDictionary(member => member.Name, member => member.Check, StringComparer.Ordinal);

    /// <summary>The check of several members together, after that of each one; null for none.</summary>
    public ObjectCheck? Combination { get; init; }

    /// <summary>Returns null for an acceptable body.</summary>
    public BodyFault? FindFault(JsonObject body, params string[] location)
    {
        foreach (var name in required)
        {
            if (body[name] is null)
            {
                return new BodyFault([.. location, name], "Field required");
            }
        }

        foreach (var (name, value) in body)
        {
            string[] at = [.. location, name];
            var fault = !_members.TryGetValue(name, out var check) ? new BodyFault(at, "Extra inputs are not permitted") : value is null ? null : check(value, at);
            if (fault is not null)
            {
                return fault;
            }
        }

        return Combination?.Invoke(body, location);
    }

    public static MemberCheck Text { get; } = (value, at) => value.GetValueKind() is JsonValueKind.String ? null : new BodyFault(at, "Input should be a valid string");

    public static MemberCheck Flag { get; } = (value, at) => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? null : new BodyFault(at, "Input should be a valid boolean");

    public static MemberCheck Number { get; } = (value, at) => value.GetValueKind() is JsonValueKind.Number ? null : new BodyFault(at, "Input should be a valid number");

    public static MemberCheck Any { get; } = (_, _) => null;

    public static MemberCheck Url { get; } = (value, at) =>
        TextOf(value) is { } text && Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" or "data" ? null : new BodyFault(at, "Input should be a valid URL");

    public static MemberCheck OneOf(params string[] values) => (value, at) =>
        TextOf(value) is { } text && values.Contains(text) ? null : new BodyFault(at, $"Input should be '{string.Join("', '", values)}'");

    /// <summary>A number of characters, not of UTF-16 units.</summary>
    public static MemberCheck Length(int least, int most) => (value, at) =>
        TextOf(value)?.EnumerateRunes().Count() is { } length && length >= least && length <= most ? null : new BodyFault(at, $"String should have {least} to {most} characters");

    /// <summary>Two whole numbers.</summary>
    public static MemberCheck Ratio(int most = int.MaxValue) => (value, at) =>
        TextOf(value)?.Split(':') is [var left, var right] && int.TryParse(left, out var width) && int.TryParse(right, out var height)
            && width > 0 && height > 0 && Math.Max(width, height) <= (long)most * Math.Min(width, height) ? null : new BodyFault(at, "Input should be an aspect ratio");

    public static MemberCheck Object(BodyRules rules) => (value, at) => value is JsonObject inner ? rules.FindFault(inner, at) : new BodyFault(at, "Input should be an object");

    public static MemberCheck List(MemberCheck check) => (value, at) => value is not JsonArray items
        ? new BodyFault(at, "Input should be a valid list")
        : items.Select((item, index) => item is null ? new BodyFault(at, "Input should not be null") : check(item, [.. at, $"{index}"])).FirstOrDefault(fault => fault is not null);

    private static string? TextOf(JsonNode value) => value.GetValueKind() is JsonValueKind.String ? value.GetValue<string>() : null;
}

/// <summary>Returns null for an acceptable value.</summary>
internal delegate BodyFault? MemberCheck(JsonNode value, string[] location);

/// <summary>Returns null for an acceptable object.</summary>
internal delegate BodyFault? ObjectCheck(JsonObject body, string[] location);

/// <summary>Why a body is refused.</summary>
/// <param name="Location">The names of the members that lead to the value.</param>
/// <param name="Message">The reason.</param>
internal sealed record BodyFault(string[] Location, string Message)
{
    /// <summary>The members with dots between them.</summary>
    public string Path => string.Join('.', Location);
}
