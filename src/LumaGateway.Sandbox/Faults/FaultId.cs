using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LumaGateway.Sandbox.Faults;

/// <summary>
/// Ids that select a fault: <c>fault-&lt;kind&gt;[-&lt;n&gt;][-r&lt;seconds&gt;]-…</c>, where n is the status for
/// <c>status</c> and milliseconds for <c>latency</c> and <c>drip</c>, and r a <c>Retry-After</c>.
/// </summary>
internal static class FaultId
{
    private const string Prefix = "fault-";

    private static readonly Dictionary<string, FaultKind> Kinds =
        Enum.GetValues<FaultKind>().ToDictionary(kind => JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString()));

    /// <summary>Returns the fault that the id selects; null if it selects none.</summary>
    public static FaultRule? Parse(string? id)
    {
        if (id is null || !id.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        var text = $"{id[Prefix.Length..]}-";
        var (name, kind) = Kinds.FirstOrDefault(known => text.StartsWith($"{known.Key}-", StringComparison.Ordinal));
        return name is null ? null : Parse(kind, text[(name.Length + 1)..].Split('-'));
    }

    private static FaultRule Parse(FaultKind kind, string[] words)
    {
        var number = Number(words[0]);
        return kind switch
        {
            FaultKind.Status => new(kind, Status: number is >= 200 and <= 599 ? number : null, RetryAfter: Seconds(words)),
            FaultKind.Latency => new(kind, Delay: number ?? 1000),
            FaultKind.Drip => new(kind, Delay: number),
            _ => new(kind),
        };
    }

    private static JsonValue? Seconds(string[] words) =>
        words.Length > 1 && words[1] is ['r', .. var seconds] && Number(seconds) is { } wait ? JsonValue.Create(wait) : null;

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
