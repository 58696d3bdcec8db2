namespace LumaGateway.Contracts;

/// <summary>A video file.</summary>
/// <param name="Url">Absolute http(s) URL of the file without a watermark.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Duration">In seconds, of the finished file; never the requested duration.</param>
public sealed record VideoAsset(string Url, int? Width, int? Height, double? Duration);

/// <summary>An image file.</summary>
/// <param name="Url">Absolute http(s) URL.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
public sealed record ImageAsset(string Url, int? Width, int? Height);
