namespace LumaGateway.Contracts;

/// <summary>Why a generation failed, as far as the upstream says.</summary>
/// <param name="Code">The upstream's code, such as <c>content_moderated</c>.</param>
/// <param name="Reason">The upstream's words.</param>
public sealed record GenerationFailure(string? Code, string? Reason);
