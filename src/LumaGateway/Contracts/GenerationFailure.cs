namespace LumaGateway.Contracts;

/// <summary>Why a generation failed, according to the upstream.</summary>
/// <param name="Code">The upstream's code, such as <c>content_moderated</c>.</param>
/// <param name="Reason">The upstream's text.</param>
/// <param name="Retryable">True if the same create may succeed when it is sent again; false if it fails again unless it is changed; null if that is not known.</param>
public sealed record GenerationFailure(string? Code, string? Reason, bool? Retryable);
