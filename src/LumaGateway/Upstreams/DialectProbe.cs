using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Upstreams;

/// <summary>
/// A request that identifies the dialect of an upstream. It costs no credit and changes nothing: it reads a page of a list, or else a generation that
/// cannot exist. Pure.
/// </summary>
/// <param name="Path">The path below <c>Luma:BaseAddress</c>.</param>
/// <param name="Recognizes">Whether a response has the shape of the dialect: null if other APIs respond in the same shape.</param>
internal sealed record DialectProbe(string Path, Func<HttpStatusCode, JsonElement, bool?> Recognizes)
{
    private static readonly GenerationId MissingId = GenerationId.TryParse(Guid.Empty.ToString(), null, out var id) ? id : default;

    private const string TaskNotExistCode = "task_not_exist";

    private static readonly string?[] NotFoundCodes = [TaskNotExistCode, "task_not_found", "generation_not_found"];

    /// <summary>How servers respond for a path that they do not serve.</summary>
    private static readonly string[] UnknownPathMessages = ["not found", "invalid url", "no route", "method not allowed", "cannot get"];

    public static DialectProbe Of(IUpstreamDialect dialect) => dialect.Name switch
    {
        "dream-machine" => new("generations?limit=1", static (status, body) => status is HttpStatusCode.OK && IsArray(body.Property("generations"))),
        "agents" => new("files?limit=1", static (status, body) => status is HttpStatusCode.OK && IsArray(body.Property("data")) && Exists(body.Property("has_more"))),
        "piapi" => new(dialect.PathOf(MissingId), static (_, body) => body.Property("code").ValueKind is JsonValueKind.Number && Exists(body.Property("message"))),
        "new-api" => new(dialect.PathOf(MissingId), static (_, body) => NotFoundCodes.Contains(CodeOf(body)) ? true : CodeOf(body.Property("error")) is TaskNotExistCode ? null : false),
        _ => new(dialect.PathOf(MissingId), RecognizesRelay),
    };

    /// <summary>Relays respond to an unknown id in many shapes, and share some of them with Luma and with new-api.</summary>
    private static bool? RecognizesRelay(HttpStatusCode status, JsonElement body)
    {
        var (error, detail) = (body.Property("error"), body.Property("detail"));
        var code = CodeOf(error) ?? CodeOf(detail);
        if (code is not TaskNotExistCode && NotFoundCodes.Contains(code))
        {
            return true;
        }

        var text = error.Property("message").AsText() ?? error.AsText() ?? detail.Property("reason").AsText() ?? detail.AsText() ?? CodeOf(body);
        return text is null || UnknownPathMessages.Any(message => text.StartsWith(message, StringComparison.OrdinalIgnoreCase)) ? false : null;
    }

    private static string? CodeOf(JsonElement element) => element.Property("code").AsText()?.ToLowerInvariant();

    private static bool IsArray(JsonElement element) => element.ValueKind is JsonValueKind.Array;

    private static bool Exists(JsonElement element) => element.ValueKind is not JsonValueKind.Undefined;
}

/// <summary>The result of a <see cref="DialectProbe"/>.</summary>
/// <param name="IsRecognized">See <see cref="DialectProbe.Recognizes"/>.</param>
/// <param name="Description">The status and shape of the response: property names from a closed set, no values.</param>
internal sealed record ProbeResult(bool? IsRecognized, string Description)
{
    private static readonly string[] KnownProperties = ["id", "detail", "error", "code", "message", "data", "generations", "state"];

    /// <summary>Throws <see cref="UpstreamException"/> if the status is about the account or a temporary failure, not about the API.</summary>
    public static ProbeResult Read(DialectProbe probe, HttpStatusCode status, JsonElement body)
    {
        if (WireStatus.FaultOf(status) is { } fault and not (UpstreamFault.NotFound or UpstreamFault.Rejected))
        {
            throw WireStatus.ExceptionFor(fault, status);
        }

        return new ProbeResult(probe.Recognizes(status, body.UnwrapArray()), $"{(int)status} with {ShapeOf(body)}");
    }

    private static string ShapeOf(JsonElement body)
    {
        if (body.ValueKind is not JsonValueKind.Object)
        {
            return body.ValueKind is JsonValueKind.Undefined ? "no JSON" : "JSON other than an object";
        }

        var properties = KnownProperties.Where(name => body.Property(name).ValueKind is not JsonValueKind.Undefined).ToList();
        return properties.Count > 0 ? $"JSON with {string.Join(", ", properties)}" : "JSON of an unknown shape";
    }
}
