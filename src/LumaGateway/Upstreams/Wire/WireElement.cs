using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads an upstream's JSON without exceptions: a value that is missing, of another kind, out of range or undecodable is returned as null. Only
/// <see cref="RequireObject"/> and <see cref="RequireId"/> throw, and only <see cref="UpstreamException"/>.
/// </summary>
internal static class WireElement
{
    /// <summary>The property with this exact name, or the last of several; Undefined if there is none.</summary>
    public static JsonElement Property(this JsonElement element, string name)
    {
        if (element.ValueKind is not JsonValueKind.Object)
        {
            return default;
        }

        try
        {
            return element.TryGetProperty(name, out var property) ? property : default;
        }
        catch (InvalidOperationException)
        {
            return element.PropertyDespiteInvalidName(name);
        }
    }

    /// <summary>The text of a string or a number; null if it is blank or is not valid Unicode.</summary>
    public static string? AsText(this JsonElement element)
    {
        var text = element.ValueKind switch
        {
            JsonValueKind.String => element.StringOrNull(),
            JsonValueKind.Number => element.GetRawText(),
            _ => null,
        };

        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    /// <summary>A positive integer, as <see cref="AsIndex"/>.</summary>
    public static int? AsPixels(this JsonElement element) => element.AsIndex() is > 0 and var pixels ? pixels : null;

    /// <summary>An integer from 0, as a number (<c>1360</c>, <c>1360.0</c>) or as text (<c>"1360"</c>).</summary>
    public static int? AsIndex(this JsonElement element)
    {
        decimal number;
        var isNumber = element.ValueKind is JsonValueKind.Number
            ? element.TryGetDecimal(out number)
            : decimal.TryParse(element.AsText(), NumberStyles.Float, CultureInfo.InvariantCulture, out number);

        return isNumber && number is >= 0 and <= int.MaxValue && decimal.IsInteger(number) ? (int)number : null;
    }

    /// <summary>Seconds, finite and not negative: <c>5.04</c>, <c>"5.04"</c> or <c>"5s"</c>.</summary>
    public static double? AsSeconds(this JsonElement element)
    {
        double number;
        var isNumber = element.ValueKind is JsonValueKind.Number
            ? element.TryGetDouble(out number)
            : double.TryParse(WithoutUnit(element.AsText()), NumberStyles.Float, CultureInfo.InvariantCulture, out number);

        return isNumber && double.IsFinite(number) && !double.IsNegative(number) ? number : null;
    }

    /// <summary>The element of an array with one element; any other value unchanged.</summary>
    public static JsonElement UnwrapArray(this JsonElement element) =>
        element.ValueKind is JsonValueKind.Array && element.GetArrayLength() is 1 ? element[0] : element;

    /// <summary>The JSON in a string, then as <see cref="UnwrapArray"/>. A string that is not a JSON object or array is returned unchanged.</summary>
    public static JsonElement UnwrapJson(this JsonElement element) =>
        (element.ValueKind is JsonValueKind.String ? element.ParsedOrUnchanged() : element).UnwrapArray();

    /// <summary>The object, or the object in an array with one element. Throws for any other value.</summary>
    public static JsonElement RequireObject(this JsonElement element)
    {
        var unwrapped = element.UnwrapArray();
        return unwrapped.ValueKind is JsonValueKind.Object
            ? unwrapped
            : throw new UpstreamException(UpstreamFault.Malformed, "The upstream's response is not a JSON object.");
    }

    /// <summary>Throws if the response is not about the requested generation.</summary>
    public static void RequireId(this JsonElement element, GenerationId id)
    {
        if (!id.Matches(element.AsText()))
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The upstream's response is not about the requested id.");
        }
    }

    private static JsonElement ParsedOrUnchanged(this JsonElement element)
    {
        var text = element.AsText()?.Trim();
        if (text is not (['{', ..] or ['[', ..]))
        {
            return element;
        }

        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return element;
        }
    }

    private static string? StringOrNull(this JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null; // an unpaired surrogate, or invalid UTF-8
        }
    }

    // TryGetProperty throws if another name contains an unpaired surrogate. This look-up compares bytes instead.
    private static JsonElement PropertyDespiteInvalidName(this JsonElement element, string name)
    {
        var utf8Name = Encoding.UTF8.GetBytes(name);
        JsonElement found = default;
        foreach (var property in element.EnumerateObject())
        {
            if (JsonMarshal.GetRawUtf8PropertyName(property).SequenceEqual(utf8Name))
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
