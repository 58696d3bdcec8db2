using System.Globalization;
using System.Text.Json;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Links as upstreams write them, in their own spelling, or null. What comes out is an absolute, well-formed http(s) address without
/// user information, white space or invisible characters: safe to show, to log and to fetch as it stands.
/// </summary>
internal static class WireUrl
{
    /// <summary>The link that a string is.</summary>
    public static string? WebUrl(this JsonElement element) =>
        element.ValueKind is JsonValueKind.String && element.Text() is { } text && IsWebUrl(text) ? text : null;

    /// <summary>The link of an asset: the asset itself where it is a string, else its <c>url</c>.</summary>
    public static string? AssetUrl(this JsonElement element) => element.WebUrl() ?? element.Member("url").WebUrl();

    private static bool IsWebUrl(string text) =>
        !text.Any(IsUnfit)
        && Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && !HasUserInfo(text)
        && uri.IsWellFormedOriginalString();

    // Read from the text: Uri drops an empty user part ("https://@host/"), which other readers take for one.
    private static bool HasUserInfo(string text)
    {
        var authority = text.AsSpan(text.IndexOf("://", StringComparison.Ordinal) + 3);
        var end = authority.IndexOfAny("/?#");
        return (end < 0 ? authority : authority[..end]).Contains('@');
    }

    private static bool IsUnfit(char character) =>
        char.IsWhiteSpace(character)
        || char.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format;
}
