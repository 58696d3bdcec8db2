using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.LongPolling;

/// <summary>Parses the <c>wait</c> preference (RFC 7240, section 4.3), in seconds.</summary>
internal static class PreferredWait
{
    /// <summary>Null if there is no <c>wait</c> preference, or a malformed one, which RFC 7240 says to ignore.</summary>
    /// <param name="prefer">The values of the <c>Prefer</c> headers.</param>
    /// <param name="longest">The upper limit of the result.</param>
    public static TimeSpan? Read(StringValues prefer, TimeSpan longest)
    {
        if (prefer.Count == 0)
        {
            return null;
        }

        foreach (var preference in prefer.SelectMany(header => Split(header ?? string.Empty)))
        {
            // RFC 7240, section 2: the first of several values counts, even a malformed one.
            if (NameValueWithParametersHeaderValue.TryParse(preference, out var parsed) ? IsWait(parsed.Name) : IsWait(preference.Split('=', ';')[0]))
            {
                return parsed is not null && ParseSeconds(parsed.Value) is { } seconds
                    ? TimeSpan.FromSeconds(Math.Min(seconds, Math.Floor(longest.TotalSeconds)))
                    : null;
            }
        }

        return null;
    }

    private static bool IsWait(string name) => name.Trim().Equals("wait", StringComparison.OrdinalIgnoreCase);

    /// <summary>A double, since a number of any length is well-formed.</summary>
    private static double? ParseSeconds(string? value)
    {
        var digits = value is ['"', .. var quoted, '"'] ? quoted : value;
        return digits is { Length: > 0 } && digits.All(char.IsAsciiDigit) ? double.Parse(digits, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Splits the list at commas outside quoted strings.</summary>
    private static IEnumerable<string> Split(string header)
    {
        var (start, isQuoted) = (0, false);
        for (var i = 0; i < header.Length; i++)
        {
            switch (header[i])
            {
                case '\\' when isQuoted:
                    i++;
                    break;
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case ',' when !isQuoted:
                    yield return header[start..i].Trim();
                    start = i + 1;
                    break;
            }
        }

        yield return header[start..].Trim();
    }
}
