using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace LumaGateway.Contracts;

/// <summary>
/// The upstream's identifier of a generation: 1 to 128 characters of <c>A–Z a–z 0–9 _ -</c>, and none of the path segments that the upstream's API uses in
/// the place of an id. It needs no escaping in a path, a cache key or a header.
/// </summary>
public readonly record struct GenerationId : ISpanParsable<GenerationId>
{
    /// <summary>The rule as a text for callers.</summary>
    public const string Rule =
        "An id is 1 to 128 characters of A-Z, a-z, 0-9, '_' and '-', but not one of concepts, camera_motion, image, video, events.";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    private readonly string? _value;

    private GenerationId(string value) => _value = value;

    /// <summary>The id; empty for <c>default</c>.</summary>
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

    /// <inheritdoc/>
    public override string ToString() => Value;

    private static bool IsValid(ReadOnlySpan<char> s) =>
        s.Length is > 0 and <= MaxLength
        && !s.ContainsAnyExcept(Allowed)
        && s is not ("concepts" or "camera_motion" or "image" or "video" or "events");
}
