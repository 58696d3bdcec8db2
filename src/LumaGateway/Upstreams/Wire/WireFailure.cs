using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams.Wire;

/// <summary>
/// Why a generation failed. An <c>error</c> object is that reason on a failed generation; on any other it means that the answer
/// itself broke, unless its code is zero, as on PiAPI's successes.
/// </summary>
internal static class WireFailure
{
    /// <summary>The failure of a failed generation, from the first source that says something; null for every other state.</summary>
    public static GenerationFailure? Read(WireState state, JsonElement outer, JsonElement inner = default)
    {
        if (state.State is GenerationState.Failed)
        {
            return new GenerationFailure(CodeOf(outer) ?? CodeOf(inner), ReasonOf(outer) ?? ReasonOf(inner));
        }

        RefuseError(outer);
        return null;
    }

    /// <summary>Refuses an answer that carries a non-zero <c>error</c> object.</summary>
    public static void RefuseError(JsonElement body)
    {
        if (IsError(body.Member("error")))
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The upstream answered 200 with an error object.");
        }
    }

    private static bool IsError(JsonElement error)
    {
        var code = error.Member("code");
        return error.ValueKind is JsonValueKind.Object
            && (!WireCode.IsGood(code) || (code.Text() is null && WordsOf(error) is not null));
    }

    private static string? CodeOf(JsonElement source) =>
        CodeText(source.Member("failure_code")) ?? CodeText(source.Member("error").Member("code"));

    private static string? CodeText(JsonElement code) => WireCode.IsGood(code) ? null : code.Text();

    private static string? ReasonOf(JsonElement source) =>
        source.Member("failure_reason").Text()
        ?? source.Member("fail_reason").Text()
        ?? TextOf(source.Member("error"))
        ?? WordsOf(source.Member("error"));

    private static string? TextOf(JsonElement error) => error.ValueKind is JsonValueKind.String ? error.Text() : null;

    private static string? WordsOf(JsonElement error) =>
        error.Member("message").Text()
        ?? error.Member("raw_message").Text()
        ?? error.Member("reason").Text()
        ?? error.Member("detail").Text();
}
