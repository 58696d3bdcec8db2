using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Collects the files of a response, in the upstream's order. A file without a usable URL is not added. Not thread-safe.</summary>
internal sealed class WireAssets
{
    private List<GenerationOutput>? _outputs;

    /// <summary>All files.</summary>
    public IReadOnlyList<GenerationOutput> Outputs => _outputs ?? (IReadOnlyList<GenerationOutput>)[];

    /// <summary>The first video.</summary>
    public VideoAsset? Video { get; private set; }

    /// <summary>The first image that is a result.</summary>
    public ImageAsset? Image { get; private set; }

    /// <summary>The first preview image.</summary>
    public ImageAsset? Thumbnail { get; private set; }

    /// <summary>The first last frame.</summary>
    public ImageAsset? LastFrame { get; private set; }

    /// <summary>The earliest expiry of the URLs; null if none has a readable expiry.</summary>
    public DateTimeOffset? ExpiresAt
    {
        get
        {
            DateTimeOffset? earliest = null;
            foreach (var output in _outputs ?? [])
            {
                earliest = SignedUrl.Earliest(earliest, SignedUrl.ExpiryOf(output.Url));
            }

            return earliest;
        }
    }

    public void Add(VideoAsset? video, OutputLayer? layer = null)
    {
        if (video is not null)
        {
            Video ??= video;
            Add(new GenerationOutput(GenerationOutput.Video, video.Url, video.Width, video.Height, video.Duration, OutputRole.Main, layer));
        }
    }

    public void Add(ImageAsset? image, OutputRole role, OutputLayer? layer = null)
    {
        if (image is null)
        {
            return;
        }

        switch (role)
        {
            case OutputRole.Main: Image ??= image; break;
            case OutputRole.Thumbnail: Thumbnail ??= image; break;
            case OutputRole.LastFrame: LastFrame ??= image; break;
        }

        Add(new GenerationOutput(GenerationOutput.Image, image.Url, image.Width, image.Height, null, role, layer));
    }

    /// <summary>Adds a file whose type is neither video nor image.</summary>
    public void Add(string type, VideoAsset? file, OutputLayer? layer = null)
    {
        if (file is not null)
        {
            Add(new GenerationOutput(type, file.Url, file.Width, file.Height, file.Duration, null, layer));
        }
    }

    /// <summary>Whether a file with this URL was added.</summary>
    public bool Contains(string url) => _outputs is not null && _outputs.Exists(output => output.Url == url);

    /// <summary>Reads a video from an object with a <c>url</c>, or from a URL.</summary>
    public static VideoAsset? ReadVideo(JsonElement element) => element.AsAssetUrl() is { } url
        ? new VideoAsset(url, element.Property("width").AsPixels(), element.Property("height").AsPixels(), element.Property("duration").AsSeconds())
        : null;

    /// <summary>Reads an image from an object with a <c>url</c>, or from a URL.</summary>
    public static ImageAsset? ReadImage(JsonElement element) => element.AsAssetUrl() is { } url
        ? new ImageAsset(url, element.Property("width").AsPixels(), element.Property("height").AsPixels())
        : null;

    private void Add(GenerationOutput output) => (_outputs ??= new(3)).Add(output);
}
