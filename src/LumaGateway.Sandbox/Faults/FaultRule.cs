using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace LumaGateway.Sandbox.Faults;

/// <summary>One fault and the requests it strikes.</summary>
/// <param name="Kind">What goes wrong.</param>
/// <param name="Status">The status, for <see cref="FaultKind.Status"/>; 503 without.</param>
/// <param name="RetryAfter">The <c>Retry-After</c> beside it: seconds, or anything else that a header can hold.</param>
/// <param name="RetryAfterMs">The <c>retry-after-ms</c> beside it, which Luma's official SDKs prefer.</param>
/// <param name="Delay">Milliseconds: before the answer; for <see cref="FaultKind.Drip"/> between bytes (100 without).</param>
/// <param name="Match">A part of <c>METHOD /path?query</c>, <c>*</c> standing for anything; everything without.</param>
/// <param name="Count">How many requests it still strikes; all without.</param>
/// <param name="Probability">From 0 to 1, how often it strikes; always without.</param>
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

    // Here a question mark begins the query; to MatchesSimpleExpression it would stand for any character.
    private static string Escaped(string match) => match.Replace("?", "\\?", StringComparison.Ordinal);

    /// <summary>What is wrong with the rule itself, in words; null when nothing is.</summary>
    public string? Complaint() => this switch
    {
        { Status: < 200 or > 599 } => "status must be from 200 to 599.",
        { Delay: < 0 } => "delay must not be negative (milliseconds).",
        { Count: < 1 } => "count must be at least 1.",
        { Probability: not (null or (>= 0 and <= 1)) } => "probability must be from 0 to 1.",
        _ => null,
    };
}
