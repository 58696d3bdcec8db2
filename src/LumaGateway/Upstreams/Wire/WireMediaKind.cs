namespace LumaGateway.Upstreams.Wire;

/// <summary>Distinguishes links to images from links to videos, where the upstream gives only one link.</summary>
internal static class WireMediaKind
{
    private static readonly string[] ImageFormats = ["png", "jpg", "jpeg", "webp", "gif", "avif"];

    /// <summary>True if the type is an image type, such as <c>image_edit</c> or <c>png</c>, or if there is no type and the path ends as one of an image.</summary>
    public static bool IsImage(string? type, string url)
    {
        var word = type.AsSpan().Trim();
        return word.IsEmpty
            ? IsFormat(EndingOf(url))
            : word.StartsWith("image", StringComparison.OrdinalIgnoreCase) || IsFormat(word);
    }

    private static bool IsFormat(ReadOnlySpan<char> word)
    {
        foreach (var format in ImageFormats)
        {
            if (word.Equals(format, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> EndingOf(string url)
    {
        var path = url.AsSpan();
        var end = path.IndexOfAny('?', '#');
        path = end < 0 ? path : path[..end];
        var dot = path.LastIndexOf('.');
        return dot < 0 ? [] : path[(dot + 1)..];
    }
}
