using System.Globalization;
using LumaGateway.Sandbox.Generations;

namespace LumaGateway.Sandbox.Assets;

/// <summary>The URLs of a generation's assets at the sandbox, and their presigned variants.</summary>
internal sealed class AssetLinks(PublicAddress address, SandboxOptions options, TimeProvider clock)
{
    private const string DateFormat = "yyyyMMdd'T'HHmmss'Z'";

    public string Video(SandboxGeneration generation) => At($"{generation.Id}.mp4");

    /// <summary>The same video with a watermark.</summary>
    public string WatermarkedVideo(SandboxGeneration generation) => At($"{generation.Id}_watermark.mp4");

    public string Image(SandboxGeneration generation) => At($"{generation.Id}.jpg");

    public string Thumbnail(SandboxGeneration generation) => At($"{generation.Id}_thumbnail.jpg");

    public string LastFrame(SandboxGeneration generation) => At($"{generation.Id}_last_frame.jpg");

    /// <summary>The same URL with a new signature that starts now; an old signature is replaced.</summary>
    public string Sign(string url)
    {
        var date = clock.GetUtcNow().ToString(DateFormat, CultureInfo.InvariantCulture);
        var seconds = (long)options.UrlsValidFor.TotalSeconds;
        return $"{url.Split('?')[0]}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-Expires={seconds}" +
            $"&X-Amz-SignedHeaders=host&X-Amz-Signature={Guid.NewGuid():N}";
    }

    /// <summary>Whether the query holds an expired signature; an unsigned URL never expires.</summary>
    public bool IsExpired(IQueryCollection query) =>
        DateTimeOffset.TryParseExact(
            query["X-Amz-Date"], DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var signed)
        && int.TryParse(query["X-Amz-Expires"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && clock.GetUtcNow() > signed.AddSeconds(seconds);

    private string At(string name) => $"{address.Value}/assets/{options.AssetBytes}/{name}";
}
