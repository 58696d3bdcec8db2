using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace LumaGateway.Sandbox.Faults;

/// <summary>One fault and the requests that it applies to.</summary>
/// <param name="Kind">The kind of fault.</param>
/// <param name="Status">The status of <see cref="FaultKind.Status"/>; default 503.</param>
/// <param name="RetryAfter">The <c>Retry-After</c> of the response: seconds, or anything else that a header can hold.</param>
/// <param name="RetryAfterMs">The <c>retry-after-ms</c> of the response, which Luma's official SDKs prefer.</param>
/// <param name="Delay">Milliseconds before the response; for <see cref="FaultKind.Drip"/> between bytes (default 100).</param>
/// <param name="Match">A part of <c>METHOD /path?query</c>; <c>*</c> matches any text. Default: every request.</param>
/// <param name="Count">How many more requests it applies to. Default: all.</param>
/// <param name="Probability">The probability that it applies, 0 to 1. Default: 1.</param>
internal sealed record FaultRule(
    FaultKind Kind,
    int? Status = null,
    JsonValue? RetryAfter = null,
    int? RetryAfterMs = null,
    int? Delay = null,
    string? Match = null,
    int? Count = null,
    double? Probability = null)
{
    public TimeSpan DelayOr(int milliseconds) => TimeSpan.FromMilliseconds(Delay ?? milliseconds);

    public bool Matches(string request) =>
        Count is not <= 0 && (Match is null || FileSystemName.MatchesSimpleExpression($"*{Escaped(Match)}*", request));

    // A question mark starts the query here; MatchesSimpleExpression takes it as any character, so it is escaped.
    private static string Escaped(string match) => match.Replace("?", "\\?", StringComparison.Ordinal);

    /// <summary>Returns an error message; null if the rule is valid.</summary>
    public string? Validate() => this switch
    {
        { Status: < 200 or > 599 } => "status must be from 200 to 599.",
        { Delay: < 0 } => "delay must not be negative (milliseconds).",
        { Count: < 1 } => "count must be at least 1.",
        { Probability: not (null or (>= 0 and <= 1)) } => "probability must be from 0 to 1.",
        _ => null,
    };
}
