using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Forgiving reading of an upstream's JSON: what is missing, of another kind, out of range or undecodable reads as nothing. Only
/// <see cref="RequireObject"/> and <see cref="RequireIdIs"/> ever throw, and only <see cref="UpstreamException"/>.
/// </summary>
internal static class WireElement
{
    /// <summary>The member of that exact name, the last one where it is repeated; Undefined where there is none.</summary>
    public static JsonElement Member(this JsonElement element, string name)
    {
        if (element.ValueKind is not JsonValueKind.Object)
        {
            return default;
        }

        try
        {
            return element.TryGetProperty(name, out var member) ? member : default;
        }
        catch (InvalidOperationException)
        {
            return element.MemberBesideUndecodable(name);
        }
    }

    /// <summary>The text of a string or of a number; null where it is blank or could not be written back as JSON.</summary>
    public static string? Text(this JsonElement element)
    {
        var text = element.ValueKind switch
        {
            JsonValueKind.String => element.DecodableString(),
            JsonValueKind.Number => element.GetRawText(),
            _ => null,
        };

        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    /// <summary>A positive whole number, as such (<c>1360</c>, <c>1360.0</c>) or as text (<c>"1360"</c>).</summary>
    public static int? Pixels(this JsonElement element)
    {
        decimal number;
        var isNumber = element.ValueKind is JsonValueKind.Number
            ? element.TryGetDecimal(out number)
            : decimal.TryParse(element.Text(), NumberStyles.Float, CultureInfo.InvariantCulture, out number);

        return isNumber && number is >= 1 and <= int.MaxValue && decimal.IsInteger(number) ? (int)number : null;
    }

    /// <summary>Seconds, finite and not negative: <c>5.04</c>, <c>"5.04"</c> or <c>"5s"</c>.</summary>
    public static double? Seconds(this JsonElement element)
    {
        double number;
        var isNumber = element.ValueKind is JsonValueKind.Number
            ? element.TryGetDouble(out number)
            : double.TryParse(WithoutUnit(element.Text()), NumberStyles.Float, CultureInfo.InvariantCulture, out number);

        return isNumber && double.IsFinite(number) && !double.IsNegative(number) ? number : null;
    }

    /// <summary>What a one-element array holds; anything else as it is.</summary>
    public static JsonElement Unwrapped(this JsonElement element) =>
        element.ValueKind is JsonValueKind.Array && element.GetArrayLength() is 1 ? element[0] : element;

    /// <summary>The object that this is, or that a one-element array around it holds.</summary>
    public static JsonElement RequireObject(this JsonElement element)
    {
        var unwrapped = element.Unwrapped();
        return unwrapped.ValueKind is JsonValueKind.Object
            ? unwrapped
            : throw new UpstreamException(UpstreamFault.Malformed, "The upstream's answer is no JSON object.");
    }

    /// <summary>Refuses an answer about no or another generation than the one asked for.</summary>
    public static void RequireIdIs(this JsonElement element, GenerationId asked)
    {
        if (!string.Equals(element.Text(), asked.Value, StringComparison.Ordinal))
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The upstream's answer is not about the id asked for.");
        }
    }

    private static string? DecodableString(this JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // half a surrogate pair, or bytes that are no UTF-8
        }
    }

    // JsonElement's own look-up throws when it passes a name with half a surrogate pair; the other members are as good as ever.
    private static JsonElement MemberBesideUndecodable(this JsonElement element, string name)
    {
        var wanted = Encoding.UTF8.GetBytes(name);
        JsonElement found = default;
        foreach (var property in element.EnumerateObject())
        {
            if (JsonMarshal.GetRawUtf8PropertyName(property).SequenceEqual(wanted))
            {
                found = property.Value;
            }
        }

        return found;
    }

    private static ReadOnlySpan<char> WithoutUnit(string? text)
    {
        var trimmed = text.AsSpan().Trim();
        return trimmed is [.., 's' or 'S'] ? trimmed[..^1] : trimmed;
    }
}
