namespace LumaGateway.Contracts;

/// <summary>Why a generation failed, according to the upstream.</summary>
/// <param name="Code">The upstream's code, such as <c>content_moderated</c>.</param>
/// <param name="Reason">The upstream's text.</param>
public sealed record GenerationFailure(string? Code, string? Reason);
