using System.Globalization;
using System.Text.Json;

namespace LumaGateway.Configuration;

/// <summary>Describes a settings file that cannot be read. The text contains no part of the file.</summary>
internal static class SettingsFileError
{
    /// <summary>Returns the exception's message, which names the file, and the line of a JSON error.</summary>
    public static string TextOf(Exception exception) => exception.GetBaseException() is JsonException { LineNumber: { } line }
        ? string.Create(CultureInfo.InvariantCulture, $"{exception.Message} Line {line + 1} is not valid JSON.")
        : exception.Message;
}
