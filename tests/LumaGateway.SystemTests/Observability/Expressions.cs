using System.Text.Json;
using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Observability;

/// <summary>The PromQL expressions of rules and dashboards.</summary>
internal static partial class Expressions
{
    private static readonly string[] Keywords =
    [
        "by", "on", "without", "ignoring", "group_left", "group_right", "offset", "and", "or", "unless", "bool", "inf", "nan",
    ];

    /// <summary>All expressions of a dashboard, with values for its variables.</summary>
    public static IReadOnlyList<string> OfDashboard(string json)
    {
        var found = new List<string>();
        Collect(JsonDocument.Parse(json).RootElement);
        return [.. found.Select(one => one
            .Replace("$job", "luma-gateway", StringComparison.Ordinal)
            .Replace("$namespace", ".*", StringComparison.Ordinal)
            .Replace("$instance", ".*", StringComparison.Ordinal)
            .Replace("$__rate_interval", "10s", StringComparison.Ordinal))];

        void Collect(JsonElement element)
        {
            if (element.ValueKind is JsonValueKind.Array)
            {
                element.EnumerateArray().ToList().ForEach(Collect);
            }
            else if (element.ValueKind is JsonValueKind.Object)
            {
                foreach (var property in element.EnumerateObject())
                {
                    if (property is { Name: "expr", Value.ValueKind: JsonValueKind.String })
                    {
                        found.Add(property.Value.GetString()!);
                    }

                    Collect(property.Value);
                }
            }
        }
    }

    /// <summary>The selectors in an expression, <c>name{matchers}</c>, without functions and groupings.</summary>
    public static IEnumerable<string> SelectorsIn(string expression) => Selector()
        .Matches(Grouping().Replace(expression, " "))
        .Where(match => !Keywords.Contains(match.Groups["name"].Value) && match.Groups["call"].Length == 0)
        .Select(match => match.Groups["name"].Value + match.Groups["labels"].Value);

    /// <summary>The labels in the groupings of an expression.</summary>
    public static IEnumerable<string> GroupsIn(string expression) => Grouping()
        .Matches(expression)
        .SelectMany(match => match.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    [GeneratedRegex(@"\b(by|on|without|ignoring|group_left|group_right)\s*\((?<labels>[^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"(?<![\w:.\[""])(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[^}]*\})?(?<call>\s*\()?(?![^{]*\})")]
    private static partial Regex Selector();
}
