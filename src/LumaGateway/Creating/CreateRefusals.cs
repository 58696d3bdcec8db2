using System.Buffers;
using LumaGateway.Problems;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Creating;

/// <summary>The problem of a create that the upstream refused. Pure.</summary>
internal static class CreateRefusals
{
    private const string General = "request";
    private const int MaxNameLength = 64;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <param name="response">The upstream's response, with an error status.</param>
    /// <param name="refusal">What its body says.</param>
    public static ProblemKind KindOf(HttpResponseMessage response, WireRefusal refusal) => (int)response.StatusCode switch
    {
        400 or 403 or 422 or 451 when refusal.IsModerated => ProblemKinds.Moderated,
        400 or 403 or 422 when refusal.IsOutOfCredit => ProblemKinds.OutOfCredit,
        _ when CreateRefusal.Of(response.StatusCode) is { } fault => ProblemKinds.Of(fault),
        400 or 409 or 413 or 422 => ProblemKinds.CreateRejected,
        503 when response.Headers.RetryAfter is not null => ProblemKinds.Throttled,
        >= 500 => ProblemKinds.Failed,
        _ => ProblemKinds.Rejected,
    };

    /// <summary>The upstream's reasons by field, without addresses and secrets. A reason without a field is under <c>request</c>.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>>? ErrorsOf(WireRefusal refusal, IReadOnlyList<string> secrets) => refusal.Reasons.Count == 0 ? null : refusal.Reasons
        .GroupBy(reason => IsPublicName(reason.Field, secrets) ? reason.Field! : General, reason => PublicText.Of(reason.Text, secrets), StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => (IReadOnlyList<string>)[.. group.Distinct()], StringComparer.Ordinal);

    /// <summary>Whether the upstream's name of a field can be shown: <c>concepts.0.key</c>.</summary>
    private static bool IsPublicName(string? name, IReadOnlyList<string> secrets) =>
        name is { Length: > 0 and <= MaxNameLength } && !name.AsSpan().ContainsAnyExcept(NameCharacters) && !secrets.Any(secret => name.Contains(secret, StringComparison.OrdinalIgnoreCase));
}
