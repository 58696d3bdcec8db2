using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.LongPolling;

/// <summary>The <c>wait</c> preference of RFC 7240, section 4.3: how long a caller would rather wait than be answered at once.</summary>
internal static class PreferredWait
{
    /// <summary>Null where the caller prefers nothing, or says it in a way that RFC 7240 does not know: then it is ignored.</summary>
    /// <param name="prefer">The <c>Prefer</c> headers.</param>
    /// <param name="longest">The most that is granted; a longer wait is cut to it.</param>
    public static TimeSpan? Read(StringValues prefer, TimeSpan longest)
    {
        foreach (var preference in prefer.SelectMany(header => Preferences(header ?? string.Empty)))
        {
            // Of a preference given twice the first counts, even if it is malformed.
            if (NameValueWithParametersHeaderValue.TryParse(preference, out var read) ? IsWait(read.Name) : IsWait(preference.Split('=', ';')[0]))
            {
                return read is not null && Seconds(read.Value) is { } seconds
                    ? TimeSpan.FromSeconds(Math.Min(seconds, Math.Floor(longest.TotalSeconds)))
                    : null;
            }
        }

        return null;
    }

    private static bool IsWait(string name) => name.Trim().Equals("wait", StringComparison.OrdinalIgnoreCase);

    /// <summary>A number too large for anything is a very long wait, not a malformed one.</summary>
    private static double? Seconds(string? value)
    {
        var digits = value is ['"', .. var quoted, '"'] ? quoted : value;
        return digits is { Length: > 0 } && digits.All(char.IsAsciiDigit) ? double.Parse(digits, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>The members of the list: commas within quotes separate nothing.</summary>
    private static IEnumerable<string> Preferences(string header)
    {
        var (start, quoted) = (0, false);
        for (var i = 0; i < header.Length; i++)
        {
            switch (header[i])
            {
                case '\\' when quoted:
                    i++;
                    break;
                case '"':
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    yield return header[start..i].Trim();
                    start = i + 1;
                    break;
            }
        }

        yield return header[start..].Trim();
    }
}
