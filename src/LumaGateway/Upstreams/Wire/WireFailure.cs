using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Reads the reason of a failed generation. On a failed generation, an <c>error</c> object contains the reason. In any other state it means that the
/// response is an error, unless its code means success, as in PiAPI's responses.
/// </summary>
internal static class WireFailure
{
    /// <summary>Returns the failure of a failed generation; null in every other state, unless the outermost object has an error: then it throws.</summary>
    /// <param name="state">The state of the generation.</param>
    /// <param name="bodies">The objects that describe the generation, the outermost first. The first one with a code or a reason counts.</param>
    public static GenerationFailure? Read(WireState state, params ReadOnlySpan<JsonElement> bodies)
    {
        if (state.State is not GenerationState.Failed)
        {
            RejectError(bodies[0]);
            return null;
        }

        string? code = null;
        string? reason = null;
        foreach (var body in bodies)
        {
            code ??= CodeOf(body);
            reason ??= ReasonOf(body);
        }

        return new GenerationFailure(code, reason, IsRetryable(code));
    }

    /// <summary>Whether a new create can succeed without a change, by the codes that Luma's Agents API documents; null for any other code.</summary>
    private static bool? IsRetryable(string? code) => code switch
    {
        "generation_failed" or "output_not_found" or "rate_limited" => true,
        "content_moderated" or "budget_exhausted" or "image_too_large" or "unsupported_format" or "corrupt_input" or "invalid_request" => false,
        _ => null,
    };

    /// <summary>Throws if the body has an <c>error</c> object whose code does not mean success.</summary>
    public static void RejectError(JsonElement body)
    {
        if (IsError(body.Property("error")))
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The upstream responded with 200 and an error object.");
        }
    }

    private static bool IsError(JsonElement error)
    {
        var code = error.Property("code");
        return error.ValueKind is JsonValueKind.Object
            && (!WireCode.IsSuccess(code) || (code.AsText() is null && MessageOf(error) is not null));
    }

    private static string? CodeOf(JsonElement source) =>
        CodeText(source.Property("failure_code")) ?? CodeText(source.Property("error").Property("code"));

    private static string? CodeText(JsonElement code) => WireCode.IsSuccess(code) ? null : code.AsText();

    private static string? ReasonOf(JsonElement source) =>
        source.Property("failure_reason").AsText()
        ?? source.Property("fail_reason").AsText()
        ?? TextOf(source.Property("error"))
        ?? MessageOf(source.Property("error"));

    private static string? TextOf(JsonElement error) => error.ValueKind is JsonValueKind.String ? error.AsText() : null;

    private static string? MessageOf(JsonElement error) =>
        error.Property("message").AsText()
        ?? error.Property("raw_message").AsText()
        ?? error.Property("reason").AsText()
        ?? error.Property("detail").AsText();
}
