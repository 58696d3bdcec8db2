namespace LumaGateway.Contracts;

/// <summary>A video file.</summary>
/// <param name="Url">Absolute http(s) address of the clean file.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Duration">Seconds of the finished file, never the duration that was asked for.</param>
public sealed record VideoAsset(string Url, int? Width, int? Height, double? Duration);

/// <summary>A still picture.</summary>
/// <param name="Url">Absolute http(s) address.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
public sealed record ImageAsset(string Url, int? Width, int? Height);
