using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads the expiry of a signed URL from its query. One rule covers every pair <c>X-&lt;vendor&gt;-Date</c> and <c>X-&lt;vendor&gt;-Expires</c>: S3, Google,
/// Volcengine, Aliyun, Huawei. A table covers the others. Names are compared without case; of a repeated name the first counts.
/// </summary>
internal static class SignedUrl
{
    private const string SigningTime = "yyyyMMdd'T'HHmmss'Z'";

    // A smaller value (before September 2001) is a lifetime or a flag, not a point in time.
    private static readonly DateTimeOffset EarliestUnix = DateTimeOffset.FromUnixTimeSeconds(1_000_000_000);

    private static readonly (string Name, Func<string, DateTimeOffset?> Read)[] ExpiryParameters =
    [
        ("Expires", FromUnix), // S3 version 2, Aliyun OSS, Huawei OBS, CloudFront with a canned policy
        ("se", WireTime.FromRfc3339), // Azure
        ("exp", FromUnix), // Cloudflare Images
        ("e", FromUnix), // Qiniu
        ("q-sign-time", FromSignTime), // Tencent COS: start;end
        ("Policy", FromPolicy), // CloudFront with a custom policy
    ];

    /// <summary>Parameters that carry a signature, besides <c>X-&lt;vendor&gt;-Signature</c>.</summary>
    private static readonly string[] SignatureParameters =
    [
        "Signature", "sig", "sign", "q-signature", "token", "Policy", "Key-Pair-Id", "hmac", "hdnts", "hdnea", "auth_key", "verify",
    ];

    /// <summary>The earliest expiry in the query; null if there is none.</summary>
    public static DateTimeOffset? ExpiryOf(string url)
    {
        var query = QueryOf(url);
        if (query.IsEmpty)
        {
            return null;
        }

        var earliest = VendorExpiryOf(query);
        foreach (var (name, read) in ExpiryParameters)
        {
            earliest = Value(query, name) is { } value ? Earliest(earliest, read(value)) : earliest;
        }

        return earliest;
    }

    /// <summary>True if the query contains a signature.</summary>
    public static bool IsSigned(string url)
    {
        var query = QueryOf(url);
        foreach (var range in query.Split('&'))
        {
            var (name, value) = PairOf(query[range]);
            if (!value.IsEmpty && (IsVendorParameter(name, "-Signature") || IsOneOf(name, SignatureParameters)))
            {
                return true;
            }
        }

        return false;
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

    private static DateTimeOffset? VendorExpiryOf(ReadOnlySpan<char> query)
    {
        DateTimeOffset? earliest = null;
        foreach (var range in query.Split('&'))
        {
            var (name, _) = PairOf(query[range]);
            if (IsVendorParameter(name, "-Date"))
            {
                var lifetimeName = string.Concat(name[..^"Date".Length], "Expires");
                earliest = Earliest(earliest, ExpiryFrom(Value(query, name), Value(query, lifetimeName)));
            }
        }

        return earliest;
    }

    private static bool IsVendorParameter(ReadOnlySpan<char> name, string ending) =>
        name.Length > "X-".Length + ending.Length
        && name.StartsWith("X-", StringComparison.OrdinalIgnoreCase)
        && name.EndsWith(ending, StringComparison.OrdinalIgnoreCase);

    private static DateTimeOffset? ExpiryFrom(string? date, string? lifetime)
    {
        var isSigned = DateTimeOffset.TryParseExact(date, SigningTime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signedAt);
        var isLimited = long.TryParse(lifetime, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds);

        return isSigned && isLimited && seconds <= (DateTimeOffset.MaxValue - signedAt).Ticks / TimeSpan.TicksPerSecond
            ? signedAt.AddTicks(seconds * TimeSpan.TicksPerSecond)
            : null;
    }

    private static DateTimeOffset? FromUnix(string value) => WireTime.FromUnix(value) is { } time && time >= EarliestUnix ? time : null;

    private static DateTimeOffset? FromSignTime(string value) =>
        value.IndexOf(';', StringComparison.Ordinal) is >= 0 and var separator ? FromUnix(value[(separator + 1)..]) : null;

    /// <summary>Base64 with <c>-</c>, <c>_</c> and <c>~</c> for <c>+</c>, <c>=</c> and <c>/</c>.</summary>
    private static DateTimeOffset? FromPolicy(string value)
    {
        var base64 = value.Replace('-', '+').Replace('_', '=').Replace('~', '/');
        var json = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length) + 3];
        if (!Convert.TryFromBase64String(base64, json, out var length))
        {
            return null;
        }

        try
        {
            using var policy = JsonDocument.Parse(json.AsMemory(0, length));
            var statement = policy.RootElement.Property("Statement").UnwrapArray();
            return statement.Property("Condition").Property("DateLessThan").Property("AWS:EpochTime").AsText() is { } time ? FromUnix(time) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ReadOnlySpan<char> QueryOf(string url)
    {
        var address = url.AsSpan();
        var fragment = address.IndexOf('#');
        address = fragment < 0 ? address : address[..fragment];
        var question = address.IndexOf('?');
        return question < 0 ? [] : address[(question + 1)..];
    }

    private static string? Value(ReadOnlySpan<char> query, ReadOnlySpan<char> name)
    {
        foreach (var range in query.Split('&'))
        {
            var (found, value) = PairOf(query[range]);
            if (!found.IsEmpty && found.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return Uri.UnescapeDataString(value);
            }
        }

        return null;
    }

    private static Pair PairOf(ReadOnlySpan<char> text)
    {
        var equals = text.IndexOf('=');
        return equals < 0 ? default : new Pair(text[..equals], text[(equals + 1)..]);
    }

    private static bool IsOneOf(ReadOnlySpan<char> name, string[] names)
    {
        foreach (var one in names)
        {
            if (name.Equals(one, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private readonly ref struct Pair(ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        private readonly ReadOnlySpan<char> _name = name;
        private readonly ReadOnlySpan<char> _value = value;

        public void Deconstruct(out ReadOnlySpan<char> name, out ReadOnlySpan<char> value)
        {
            name = _name;
            value = _value;
        }
    }
}
