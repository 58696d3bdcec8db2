using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace LumaGateway.Contracts;

/// <summary>
/// The upstream's identifier of a generation: 1 to 256 characters of <c>A–Z a–z 0–9 . _ ~ - =</c>, and none of the path segments that the upstream's API uses in
/// the place of an id. A UUID is in lower case (RFC 9562, section 4), so its spellings are one id. It needs no escaping in a path, a cache key or a header.
/// </summary>
public readonly record struct GenerationId : ISpanParsable<GenerationId>
{
    /// <summary>The largest number of characters. All of them are ASCII.</summary>
    public const int MaxLength = 256;

    /// <summary>The rule as a text for callers.</summary>
    public const string Rule =
        "An id is 1 to 256 characters of A-Z, a-z, 0-9, '.', '_', '~', '-' and '=', but not '.' or '..', and not one of concepts, camera_motion, image, video, events.";

    /// <summary>The length of a UUID with hyphens.</summary>
    private const int UuidLength = 36;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-=");

    private readonly string? _value;

    private GenerationId(string value) => _value = IsUuidWithUpperCase(value) ? value.ToLowerInvariant() : value;

    /// <summary>The id, a UUID in lower case; empty for <c>default</c>.</summary>
    public string Value => _value ?? string.Empty;

    /// <inheritdoc/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out GenerationId result)
    {
        var valid = s is not null && IsValid(s);
        result = valid ? new GenerationId(s!) : default;
        return valid;
    }

    /// <inheritdoc/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out GenerationId result)
    {
        var valid = IsValid(s);
        result = valid ? new GenerationId(s.ToString()) : default;
        return valid;
    }

    /// <inheritdoc/>
    public static GenerationId Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException(Rule);

    /// <inheritdoc/>
    public static GenerationId Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        TryParse(s, provider, out var id) ? id : throw new FormatException(Rule);

    /// <summary>Whether an upstream's text is this id: the same characters, or the same UUID in any of its spellings.</summary>
    public bool Matches([NotNullWhen(true)] string? text) =>
        string.Equals(text, Value, StringComparison.Ordinal)
        || (Guid.TryParse(text, out var other) && Guid.TryParse(Value, out var own) && own == other);

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static bool IsValid(ReadOnlySpan<char> s) =>
        s.Length is > 0 and <= MaxLength
        && !s.ContainsAnyExcept(Allowed)
        && s is not ("." or ".." or "concepts" or "camera_motion" or "image" or "video" or "events");

    private static bool IsUuidWithUpperCase(string s)
    {
        if (s.Length is not UuidLength || !s.AsSpan().ContainsAnyInRange('A', 'F'))
        {
            return false;
        }

        for (var i = 0; i < s.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? s[i] is not '-' : !char.IsAsciiHexDigit(s[i]))
            {
                return false;
            }
        }

        return true;
    }
}
