namespace LumaGateway.Contracts;

/// <summary>Shortens texts of callers and upstreams. Pure.</summary>
internal static class TextCut
{
    /// <summary>The text, or its first <paramref name="maxLength"/> UTF-16 units; one less if the cut would be within a character.</summary>
    public static string Cut(string text, int maxLength) =>
        text.Length <= maxLength ? text : text[..(char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength)];
}
