using System.Globalization;
using System.Text.Json;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads URLs unchanged. Accepts only an absolute, well-formed http(s) URL without user information, white space and invisible characters, which is safe
/// to display, log and fetch.
/// </summary>
internal static class WireUrl
{
    /// <summary>The URL in a string; null if it is not acceptable.</summary>
    public static string? AsUrl(this JsonElement element) =>
        element.ValueKind is JsonValueKind.String && element.AsText() is { } text && IsWebUrl(text) ? text : null;

    /// <summary>The URL of an asset, which is a string or an object with a <c>url</c>.</summary>
    public static string? AsAssetUrl(this JsonElement element) => element.AsUrl() ?? element.Property("url").AsUrl();

    private static bool IsWebUrl(string text) =>
        !text.Any(IsForbidden)
        && Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && !HasUserInfo(text)
        && uri.IsWellFormedOriginalString();

    // Checks the text, because Uri drops empty user information ("https://@host/"), which other parsers accept.
    private static bool HasUserInfo(string text)
    {
        var authority = text.AsSpan(text.IndexOf("://", StringComparison.Ordinal) + 3);
        var end = authority.IndexOfAny("/?#");
        return (end < 0 ? authority : authority[..end]).Contains('@');
    }

    private static bool IsForbidden(char character) =>
        char.IsWhiteSpace(character)
        || char.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format;
}
