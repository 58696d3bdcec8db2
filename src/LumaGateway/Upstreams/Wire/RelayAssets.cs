using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// The assets of a response of the relay family. Reads the layers from the innermost outwards: the body nearest to Luma distinguishes the file without
/// watermark, and a relay's own link may require its token.
/// </summary>
/// <remarks>
/// Order of precedence of the video, each over all layers before the next:
/// <list type="number">
/// <item>files without watermark: <c>video_raw</c>, <c>video.download_url</c>, then both of <c>artifact</c>;</item>
/// <item>other files: <c>assets.video</c>, <c>video</c>, <c>artifact.video</c>, <c>video_url</c>, <c>url</c>, <c>result_url</c>, then those in <c>content</c>,
/// <c>outputs</c>, <c>output</c>, <c>result</c>, <c>metadata</c>;</item>
/// <item>for a completed task, a link in <c>fail_reason</c>.</item>
/// </list>
/// If a list in <c>content</c>, <c>outputs</c>, <c>output</c> or <c>result</c> is used, every item of it is an output.
/// Never returned: <c>progress_video</c>; <c>video.url</c> beside <c>download_url</c> or <c>video_raw</c>, because it has a watermark; a link for which
/// <see cref="RelayRules.NeedsToken"/> is true.
/// </remarks>
internal static class RelayAssets
{
    private static readonly string[] Boxes = ["content", "outputs", "output", "result", "metadata"];

    /// <summary>Returns the files that the layers contain: results first, then the preview image and the last frame.</summary>
    /// <param name="layers">The objects that describe the generation, the outermost first.</param>
    /// <param name="isCompleted">True if the generation is completed.</param>
    /// <param name="rules">The rules of the dialect.</param>
    public static WireAssets Read(ReadOnlySpan<JsonElement> layers, bool isCompleted, RelayRules rules)
    {
        VideoAsset? video = null;
        ImageAsset? image = null, thumbnail = null, lastFrame = null;
        for (var i = layers.Length - 1; i >= 0; i--)
        {
            var layer = layers[i];
            var artifact = layer.Property("artifact");
            var assets = layer.Property("assets");
            video ??= UnmarkedVideo(layer, artifact, rules);
            image ??= ImageOf(layer, artifact, assets, "image", rules);
            thumbnail ??= ImageOf(layer, artifact, assets, "thumbnail", rules)
                ?? ReadImage(layer.Property("video").Property("thumbnail"), rules)
                ?? ReadImage(artifact.Property("video").Property("thumbnail"), rules);
            lastFrame ??= ImageOf(layer, artifact, assets, "last_frame", rules);
        }

        var files = new WireAssets();
        files.Add(video);
        files.Add(image, OutputRole.Main);
        for (var i = layers.Length - 1; i >= 0 && files.Video is null; i--)
        {
            AddOtherFiles(layers[i], rules, files);
        }

        for (var i = layers.Length - 1; i >= 0 && isCompleted && files.Video is null && files.Image is null; i--)
        {
            AddUntyped(layers[i].Property("fail_reason"), layers[i], default, rules, files);
        }

        files.Add(thumbnail, OutputRole.Thumbnail);
        files.Add(lastFrame, OutputRole.LastFrame);
        return files;
    }

    private static VideoAsset? UnmarkedVideo(JsonElement layer, JsonElement artifact, RelayRules rules) =>
        (FindUnmarked(layer, rules) ?? FindUnmarked(artifact, rules)) is var (url, chosen) ? WithDimensions(url, chosen, layer) : null;

    private static (string Url, JsonElement Chosen)? FindUnmarked(JsonElement source, RelayRules rules)
    {
        var raw = source.Property("video_raw");
        if (UrlOf(raw, rules) is { } rawUrl)
        {
            return (rawUrl, raw);
        }

        var video = source.Property("video");
        return UrlOf(video.Property("download_url"), rules) is { } url ? (url, video) : null;
    }

    private static void AddOtherFiles(JsonElement layer, RelayRules rules, WireAssets files)
    {
        var assets = layer.Property("assets").UnwrapJson();
        AddUntyped(assets.ValueKind is JsonValueKind.String ? assets : default, layer, default, rules, files);
        if (files.Video is null)
        {
            files.Add(VideoOf(assets.Property("video"), layer, rules) ?? MarkableVideo(layer, layer, rules) ?? MarkableVideo(layer.Property("artifact"), layer, rules)
                ?? VideoOf(layer.Property("video_url"), layer, rules));
        }

        AddUntyped(layer.Property("url"), layer, default, rules, files);
        AddUntyped(layer.Property("result_url"), layer, default, rules, files);
        foreach (var name in Boxes)
        {
            if (files.Video is not null)
            {
                return;
            }

            AddBox(layer.Property(name).UnwrapJson(), layer, rules, files);
        }
    }

    private static VideoAsset? MarkableVideo(JsonElement source, JsonElement layer, RelayRules rules)
    {
        var video = source.Property("video");
        var isMarked = rules.MarksVideo
            || video.Property("download_url").ValueKind is not JsonValueKind.Undefined
            || source.Property("video_raw").ValueKind is not JsonValueKind.Undefined;
        return isMarked ? null : VideoOf(video, layer, rules);
    }

    private static void AddBox(JsonElement box, JsonElement layer, RelayRules rules, WireAssets files)
    {
        switch (box.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var item in box.EnumerateArray())
                {
                    AddUntyped(item, layer, item, rules, files, isItem: true);
                }

                break;

            case JsonValueKind.Object:
                if (files.Video is null)
                {
                    files.Add(UnmarkedVideo(box, default, rules) ?? MarkableVideo(box, box, rules) ?? VideoOf(box.Property("video_url"), box, rules));
                }

                AddUntyped(box, layer, box, rules, files);
                AddUntyped(box.Property("result_url"), layer, box, rules, files);
                break;

            default:
                AddUntyped(box, layer, default, rules, files);
                break;
        }
    }

    // A link without a name of its kind: a type or format beside it decides, else the ending of its path, else it is a video. Every item of a list is a
    // result. Any other link is an alternative to the files that were found before it.
    private static void AddUntyped(JsonElement link, JsonElement layer, JsonElement described, RelayRules rules, WireAssets files, bool isItem = false)
    {
        if (UrlOf(link, rules) is not { } url || files.Contains(url))
        {
            return;
        }

        var type = described.Property("type").AsText() ?? described.Property("format").AsText()
            ?? layer.Property("format").AsText() ?? layer.Property("generation_type").AsText();
        switch (WireMediaKind.Of(type, url))
        {
            case GenerationOutput.Image when isItem || files.Image is null:
                files.Add(new ImageAsset(url, described.Property("width").AsPixels(), described.Property("height").AsPixels()), OutputRole.Main);
                break;

            case null when isItem:
                files.Add(type!, WireAssets.ReadVideo(described));
                break;

            case null or GenerationOutput.Video when isItem || files.Video is null:
                files.Add(WithDimensions(url, described, layer));
                break;
        }
    }

    private static VideoAsset? VideoOf(JsonElement video, JsonElement layer, RelayRules rules) =>
        UrlOf(video, rules) is { } url ? WithDimensions(url, video, layer) : null;

    // The URL and the dimensions are often in different objects of a layer, which all describe the same file.
    private static VideoAsset WithDimensions(string url, JsonElement chosen, JsonElement layer)
    {
        var asset = new Dimensions(chosen);
        if (!asset.IsComplete)
        {
            var artifact = layer.Property("artifact");
            asset = asset.Or(layer.Property("video_raw")).Or(layer.Property("video"))
                .Or(artifact.Property("video_raw")).Or(artifact.Property("video")).Or(layer.Property("metadata").UnwrapJson());
        }

        return new VideoAsset(url, asset.Width, asset.Height, asset.Duration);
    }

    private static ImageAsset? ImageOf(JsonElement layer, JsonElement artifact, JsonElement assets, string name, RelayRules rules) =>
        ReadImage(layer.Property(name), rules) ?? ReadImage(artifact.Property(name), rules) ?? ReadImage(assets.Property(name), rules);

    private static ImageAsset? ReadImage(JsonElement image, RelayRules rules) => UrlOf(image, rules) is { } url
        ? new ImageAsset(url, image.Property("width").AsPixels(), image.Property("height").AsPixels())
        : null;

    private static string? UrlOf(JsonElement element, RelayRules rules) => element.AsAssetUrl() is { } url && !rules.NeedsToken(url) ? url : null;

    private readonly record struct Dimensions(int? Width, int? Height, double? Duration)
    {
        public Dimensions(JsonElement source)
            : this(source.Property("width").AsPixels(), source.Property("height").AsPixels(), source.Property("duration").AsSeconds())
        {
        }

        public bool IsComplete => Width is not null && Height is not null && Duration is not null;

        public Dimensions Or(JsonElement source)
        {
            if (IsComplete || source.ValueKind is not JsonValueKind.Object)
            {
                return this;
            }

            var other = new Dimensions(source);
            return new Dimensions(Width ?? other.Width, Height ?? other.Height, Duration ?? other.Duration);
        }
    }
}
