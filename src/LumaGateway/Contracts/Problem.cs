using System.Text.Json.Serialization;

namespace LumaGateway.Contracts;

/// <summary>An error response, RFC 9457. It contains no text of an upstream's body, except the reasons of a refused create in <paramref name="Errors"/>, without addresses and secrets.</summary>
/// <param name="Type">A stable URI, one for each <paramref name="Code"/>.</param>
/// <param name="Title">The name of the kind of problem.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">A description for people.</param>
/// <param name="Instance">The path of the request.</param>
/// <param name="Code">The kind of problem, for programs: stable, snake_case.</param>
/// <param name="RequestId">The request's <c>X-Request-Id</c>.</param>
/// <param name="TraceId">The request's trace id; null if there is none.</param>
/// <param name="Errors">Reasons by field. Only for a refused body.</param>
public sealed record Problem(
    string Type,
    string Title,
    int Status,
    string? Detail,
    string? Instance,
    string Code,
    string? RequestId,
    string? TraceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors = null);
