using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads the URLs of assets. Accepts every absolute http(s) URI of RFC 3986 and returns it unchanged, without <see cref="Uri"/>, which refuses some valid
/// ones. Characters outside ASCII are percent-encoded as UTF-8 (RFC 3987, section 3.1), in the host as an A-label. Refuses user information
/// (RFC 9110, section 4.2.4) and a port above 65535.
/// </summary>
internal static class WireUrl
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    private const string SubDelimiters = "!$&'()*+,;=";

    private static readonly SearchValues<char> HostCharacters = SearchValues.Create(Unreserved + SubDelimiters + "%");
    private static readonly SearchValues<char> TailCharacters = SearchValues.Create(Unreserved + SubDelimiters + "%:/?#[]@");

    /// <summary>The URL in a string; null if it is not acceptable.</summary>
    public static string? AsUrl(this JsonElement element) =>
        element.ValueKind is JsonValueKind.String ? AsciiUrlOf(element.AsText()) : null;

    /// <summary>The URL of an asset, which is a string or an object with a <c>url</c>.</summary>
    public static string? AsAssetUrl(this JsonElement element) => element.AsUrl() ?? element.Property("url").AsUrl();

    private static string? AsciiUrlOf(string? text)
    {
        if (text is null || !TrySplit(text, out var authority, out var tail))
        {
            return null;
        }

        if (Ascii.IsValid(text))
        {
            return IsAuthority(text.AsSpan()[authority]) && IsTail(text.AsSpan()[tail]) ? text : null;
        }

        return ToAscii(text[authority]) is { } host && EncodeNonAscii(text[tail]) is var encoded && IsAuthority(host) && IsTail(encoded)
            ? string.Concat(text.AsSpan()[..authority.Start.Value], host, encoded)
            : null;
    }

    private static bool TrySplit(string text, out Range authority, out Range tail)
    {
        var start = text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? 8
            : text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? 7
            : 0;
        var end = text.AsSpan(start).IndexOfAny("/?#");
        authority = start..(end < 0 ? text.Length : start + end);
        tail = authority.End.Value..text.Length;
        return start > 0;
    }

    private static bool IsAuthority(ReadOnlySpan<char> authority)
    {
        var portAt = authority.LastIndexOf(':') is var colon && colon > authority.LastIndexOf(']') ? colon : authority.Length;
        var host = authority[..portAt];
        return IsPort(portAt < authority.Length ? authority[(portAt + 1)..] : [])
            && (host is ['[', .. var literal, ']'] ? IsIpLiteral(literal) : IsRegisteredName(host));
    }

    private static bool IsPort(ReadOnlySpan<char> port) =>
        port.IsEmpty || ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static bool IsRegisteredName(ReadOnlySpan<char> host) =>
        !host.IsEmpty && host.IndexOfAnyExcept(HostCharacters) < 0 && AreEscapesValid(host);

    private static bool IsIpLiteral(ReadOnlySpan<char> literal) =>
        !literal.Contains('%') && IPAddress.TryParse(literal, out var address) && address.AddressFamily is AddressFamily.InterNetworkV6;

    // Brackets are allowed, although RFC 3986 reserves them: they are common in queries, and every client sends them.
    private static bool IsTail(ReadOnlySpan<char> tail)
    {
        var fragment = tail.IndexOf('#');
        return tail.IndexOfAnyExcept(TailCharacters) < 0
            && (fragment < 0 || !tail[(fragment + 1)..].Contains('#'))
            && AreEscapesValid(tail);
    }

    private static bool AreEscapesValid(ReadOnlySpan<char> text)
    {
        while (text.IndexOf('%') is >= 0 and var at)
        {
            text = text[(at + 1)..];
            if (text.Length < 2 || !char.IsAsciiHexDigit(text[0]) || !char.IsAsciiHexDigit(text[1]))
            {
                return false;
            }
        }

        return true;
    }

    private static string? ToAscii(string authority)
    {
        if (Ascii.IsValid(authority))
        {
            return authority;
        }

        try
        {
            var port = authority.IndexOf(':', StringComparison.Ordinal);
            return port < 0 ? new IdnMapping().GetAscii(authority) : new IdnMapping().GetAscii(authority, 0, port) + authority[port..];
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string EncodeNonAscii(string tail)
    {
        var encoded = new StringBuilder(tail.Length * 2);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in tail.EnumerateRunes())
        {
            if (rune.IsAscii)
            {
                encoded.Append((char)rune.Value);
                continue;
            }

            foreach (var octet in utf8[..rune.EncodeToUtf8(utf8)])
            {
                encoded.Append('%').Append(octet.ToString("X2", CultureInfo.InvariantCulture));
            }
        }

        return encoded.ToString();
    }
}
