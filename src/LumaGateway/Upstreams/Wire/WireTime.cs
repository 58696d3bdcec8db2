using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads times in UTC: RFC 3339 (without a zone it is UTC; fractions are cut to 100 ns), unix seconds or milliseconds. A missing time, zero, year 1 and an
/// invalid date are returned as null.
/// </summary>
internal static partial class WireTime
{
    // As seconds this is the year 5138, as milliseconds 1973: a larger value must be milliseconds.
    private const decimal MaxUnixSeconds = 100_000_000_000;

    private const int FractionDigits = 7;

    /// <summary>The usual form, which needs no regular expression.</summary>
    private const string Common = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";

    private static readonly decimal MaxUnixMilliseconds = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Reads a time in any of the formats.</summary>
    public static DateTimeOffset? AsTime(this JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => element.TryGetDecimal(out var number) ? FromUnix(number) : null,
        JsonValueKind.String => FromRfc3339(element.AsText()) ?? FromUnix(element.AsText()),
        _ => null,
    };

    /// <summary>Reads unix seconds or milliseconds.</summary>
    public static DateTimeOffset? FromUnix(string? text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? FromUnix(number) : null;

    /// <summary>Reads RFC 3339, also with a space for the <c>T</c>, and without seconds, time of day or zone.</summary>
    public static DateTimeOffset? FromRfc3339(string? text)
    {
        if (text is [.., not '.', 'Z'] && DateTimeOffset.TryParseExact(text, Common, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var common))
        {
            return FromTicks(common.UtcTicks);
        }

        var match = Rfc3339().Match(text?.Trim() ?? string.Empty);
        if (!match.Success || !TryParseLocal(match.Groups["date"].Value, match.Groups["time"].Value, out var local))
        {
            return null;
        }

        var ticks = local.Ticks + FractionOf(match.Groups["fraction"].ValueSpan) - OffsetOf(match.Groups["zone"].ValueSpan);
        return FromTicks(ticks);
    }

    private static DateTimeOffset? FromUnix(decimal number)
    {
        if (number <= 0 || number > MaxUnixMilliseconds)
        {
            return null;
        }

        var ticks = number * (number < MaxUnixSeconds ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond);
        return FromTicks(DateTimeOffset.UnixEpoch.Ticks + (long)ticks);
    }

    private static DateTimeOffset? FromTicks(long ticks)
    {
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks)
        {
            return null;
        }

        var time = new DateTimeOffset(ticks, TimeSpan.Zero);
        return time.Year > 1 ? time : null; // year 1 is Go's zero value
    }

    private static bool TryParseLocal(string date, string time, out DateTime local)
    {
        var timeOfDay = time.Length switch { 0 => "00:00:00", 5 => time + ":00", _ => time };
        return DateTime.TryParseExact(
            date + "T" + timeOfDay, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out local);
    }

    private static long FractionOf(ReadOnlySpan<char> digits)
    {
        var ticks = 0L;
        for (var i = 0; i < FractionDigits; i++)
        {
            ticks = (ticks * 10) + (i < digits.Length ? digits[i] - '0' : 0);
        }

        return ticks;
    }

    private static long OffsetOf(ReadOnlySpan<char> zone)
    {
        if (zone.IsEmpty || zone is "Z" or "z")
        {
            return 0;
        }

        var hours = int.Parse(zone[1..3], CultureInfo.InvariantCulture);
        var minutes = int.Parse(zone[^2..], CultureInfo.InvariantCulture);
        return new TimeSpan(hours, minutes, 0).Ticks * (zone[0] is '-' ? -1 : 1);
    }

    [GeneratedRegex(
        """
        ^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})
        ([Tt\x20](?<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)([.,](?<fraction>[0-9]+))?\x20?(?<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?\z
        """,
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Rfc3339();
}
