using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams;

/// <summary>
/// A question that costs nothing, changes nothing, and that one kind of upstream alone answers in its own shape: a page of its list where there is one,
/// else a generation that cannot exist. Pure.
/// </summary>
/// <param name="Path">Below <c>Luma:BaseAddress</c>.</param>
/// <param name="Recognizes">Whether an answer is that kind's own: null where it may be, and may be another's.</param>
internal sealed record DialectProbe(string Path, Func<HttpStatusCode, JsonElement, bool?> Recognizes)
{
    private static readonly GenerationId Nobody = GenerationId.TryParse(Guid.Empty.ToString(), null, out var id) ? id : default;

    private const string TaskNotExist = "task_not_exist";

    private static readonly string?[] NoTask = [TaskNotExist, "task_not_found", "generation_not_found"];

    /// <summary>What servers say of a path that they do not have.</summary>
    private static readonly string[] NoRoute = ["not found", "invalid url", "no route", "method not allowed", "cannot get"];

    public static DialectProbe Of(IUpstreamDialect dialect) => dialect.Name switch
    {
        "dream-machine" => new("generations?limit=1", static (status, body) => status is HttpStatusCode.OK && IsArray(body.Member("generations"))),
        "agents" => new("files?limit=1", static (status, body) => status is HttpStatusCode.OK && IsArray(body.Member("data")) && IsThere(body.Member("has_more"))),
        "piapi" => new(dialect.PathOf(Nobody), static (_, body) => body.Member("code").ValueKind is JsonValueKind.Number && IsThere(body.Member("message"))),
        "new-api" => new(dialect.PathOf(Nobody), static (_, body) => NoTask.Contains(CodeOf(body)) ? true : CodeOf(body.Member("error")) is TaskNotExist ? null : false),
        _ => new(dialect.PathOf(Nobody), RecognizesRelay),
    };

    /// <summary>Relays say in many ways that there is no such task, and share some of them with Luma and with new-api.</summary>
    private static bool? RecognizesRelay(HttpStatusCode status, JsonElement body)
    {
        var (error, detail) = (body.Member("error"), body.Member("detail"));
        var code = CodeOf(error) ?? CodeOf(detail);
        if (code is not TaskNotExist && NoTask.Contains(code))
        {
            return true;
        }

        var text = error.Member("message").Text() ?? error.Text() ?? detail.Member("reason").Text() ?? detail.Text() ?? CodeOf(body);
        return text is null || NoRoute.Any(words => text.StartsWith(words, StringComparison.OrdinalIgnoreCase)) ? false : null;
    }

    private static string? CodeOf(JsonElement element) => element.Member("code").Text()?.ToLowerInvariant();

    private static bool IsArray(JsonElement element) => element.ValueKind is JsonValueKind.Array;

    private static bool IsThere(JsonElement element) => element.ValueKind is not JsonValueKind.Undefined;
}

/// <summary>What came of a <see cref="DialectProbe"/>.</summary>
/// <param name="IsRecognized">See <see cref="DialectProbe.Recognizes"/>.</param>
/// <param name="Seen">Status and shape in words: member names from a closed set, never a value.</param>
internal sealed record ProbeResult(bool? IsRecognized, string Seen)
{
    private static readonly string[] Known = ["id", "detail", "error", "code", "message", "data", "generations", "state"];

    /// <summary>Throws <see cref="UpstreamException"/> where the status says something about the account or the moment, and not about the API.</summary>
    public static ProbeResult Read(DialectProbe probe, HttpStatusCode status, JsonElement body)
    {
        if (WireStatus.FaultOf(status) is { } fault and not (UpstreamFault.NotFound or UpstreamFault.Rejected))
        {
            throw WireStatus.RefusalReason(fault, status);
        }

        return new ProbeResult(probe.Recognizes(status, body.Unwrapped()), $"{(int)status} with {ShapeOf(body)}");
    }

    private static string ShapeOf(JsonElement body)
    {
        if (body.ValueKind is not JsonValueKind.Object)
        {
            return body.ValueKind is JsonValueKind.Undefined ? "no JSON" : "JSON that is no object";
        }

        var members = Known.Where(name => body.Member(name).ValueKind is not JsonValueKind.Undefined).ToList();
        return members.Count > 0 ? $"JSON that holds {string.Join(", ", members)}" : "JSON of an unknown shape";
    }
}
