using System.Globalization;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads the expiry of a signed URL from its query: of S3 and Google Cloud Storage (a date and a lifetime), of CloudFront and others (<c>Expires</c>, unix
/// seconds), and of Azure (<c>se</c>, RFC 3339).
/// </summary>
internal static class SignedUrl
{
    private const string SigningTime = "yyyyMMdd'T'HHmmss'Z'";

    // A smaller value (before September 2001) is a lifetime or a flag, not a point in time.
    private static readonly DateTimeOffset EarliestExpires = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000);

    /// <summary>The earliest expiry in the query; null if there is none.</summary>
    public static DateTimeOffset? ExpiryOf(string url)
    {
        var query = QueryOf(url);
        return Earliest(
            ExpiryFrom(query, "X-Amz-Date", "X-Amz-Expires"),
            ExpiryFrom(query, "X-Goog-Date", "X-Goog-Expires"),
            ExpiresAt(query),
            WireTime.FromRfc3339(Value(query, "se")));
    }

    /// <summary>The earliest of the times that are not null.</summary>
    public static DateTimeOffset? Earliest(params ReadOnlySpan<DateTimeOffset?> times)
    {
        DateTimeOffset? earliest = null;
        foreach (var time in times)
        {
            earliest = earliest is null || time < earliest ? time ?? earliest : earliest;
        }

        return earliest;
    }

    private static DateTimeOffset? ExpiryFrom(ReadOnlySpan<char> query, string dateName, string lifetimeName)
    {
        var isSigned = DateTimeOffset.TryParseExact(
            Value(query, dateName), SigningTime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt);
        var isLimited = long.TryParse(Value(query, lifetimeName), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds);

        return isSigned && isLimited && seconds <= (DateTimeOffset.MaxValue - signedAt).Ticks / TimeSpan.TicksPerSecond
            ? signedAt.AddTicks(seconds * TimeSpan.TicksPerSecond)
            : null;
    }

    private static DateTimeOffset? ExpiresAt(ReadOnlySpan<char> query) =>
        WireTime.FromUnix(Value(query, "Expires")) is { } time && time >= EarliestExpires ? time : null;

    private static ReadOnlySpan<char> QueryOf(string url)
    {
        var address = url.AsSpan();
        var fragment = address.IndexOf('#');
        address = fragment < 0 ? address : address[..fragment];
        var question = address.IndexOf('?');
        return question < 0 ? [] : address[(question + 1)..];
    }

    private static string? Value(ReadOnlySpan<char> query, string name)
    {
        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            var equals = pair.IndexOf('=');
            if (equals > 0 && pair[..equals].Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return Uri.UnescapeDataString(pair[(equals + 1)..]);
            }
        }

        return null;
    }
}
