using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Tells videos, images and other files apart, where the upstream does not name the kind of a link.</summary>
internal static class WireMediaKind
{
    private static readonly string[] ImageFormats = ["png", "jpg", "jpeg", "webp", "gif", "avif"];
    private static readonly string[] VideoFormats = ["mp4", "mov", "webm", "m4v", "mkv"];

    /// <summary>
    /// <see cref="GenerationOutput.Image"/> for an image type, such as <c>image_edit</c> or <c>png</c>, or without a type if the path ends as one of an image. Null
    /// if both the type and the ending of the path say that the file is something else. Otherwise <see cref="GenerationOutput.Video"/>.
    /// </summary>
    public static string? Of(string? type, string url)
    {
        var word = type.AsSpan().Trim();
        var ending = EndingOf(url);
        if (word.IsEmpty ? IsAny(ending, ImageFormats) : word.StartsWith("image", StringComparison.OrdinalIgnoreCase) || IsAny(word, ImageFormats))
        {
            return GenerationOutput.Image;
        }

        var isOther = !word.IsEmpty && !word.Contains("video", StringComparison.OrdinalIgnoreCase) && !IsAny(word, VideoFormats)
            && ending.Length is > 0 and <= 5 && !IsAny(ending, VideoFormats) && !IsAny(ending, ImageFormats);
        return isOther ? null : GenerationOutput.Video;
    }

    private static bool IsAny(ReadOnlySpan<char> word, string[] formats)
    {
        foreach (var format in formats)
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
        path = path[(path.LastIndexOf('/') + 1)..];
        var dot = path.LastIndexOf('.');
        return dot < 0 ? [] : path[(dot + 1)..];
    }
}
