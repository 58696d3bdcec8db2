namespace LumaGateway.Contracts;

/// <summary>Every refusal, RFC 9457. Nothing in it ever comes from an upstream's body.</summary>
/// <param name="Type">A stable URI, one for each <paramref name="Code"/>.</param>
/// <param name="Title">The kind of problem in a few words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What happened this time, for people.</param>
/// <param name="Instance">The path that was asked.</param>
/// <param name="Code">The kind of problem for programs: stable, snake_case.</param>
/// <param name="RequestId">The request's <c>X-Request-Id</c>.</param>
/// <param name="TraceId">The request's trace, where there is one.</param>
public sealed record Problem(
    string Type,
    string Title,
    int Status,
    string? Detail,
    string? Instance,
    string Code,
    string? RequestId,
    string? TraceId);
