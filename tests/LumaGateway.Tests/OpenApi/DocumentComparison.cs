using System.Text.Json.Nodes;

namespace LumaGateway.Tests.OpenApi;

/// <summary>
/// Finds differences between two OpenAPI documents that break existing clients, generated ones included. Additions are allowed, except of what a caller must
/// send and of values that a caller may not expect.
/// </summary>
internal sealed class DocumentComparison(JsonNode released, JsonNode current)
{
    private readonly List<string> _breaks = [];
    private readonly HashSet<(string, string)> _compared = [];

    /// <summary>One line for each difference; empty if there is none.</summary>
    public static IReadOnlyList<string> BreaksOf(JsonNode released, JsonNode current)
    {
        var comparison = new DocumentComparison(released, current);
        comparison.ComparePaths();
        return comparison._breaks;
    }

    private void ComparePaths()
    {
        foreach (var (path, operations) in Members(released["paths"]))
        {
            if (current["paths"]![path] is not { } now)
            {
                _breaks.Add($"{path}: removed");
                continue;
            }

            foreach (var (method, operation) in Members(operations))
            {
                CompareOperation($"{method} {path}", operation, now[method]);
            }
        }
    }

    private void CompareOperation(string place, JsonNode before, JsonNode? now)
    {
        if (now is null)
        {
            _breaks.Add($"{place}: removed");
            return;
        }

        CompareText(place, before, now, "operationId");
        if (SecurityOf(released, before) != SecurityOf(current, now))
        {
            _breaks.Add($"{place}: security changed");
        }

        CompareParameters(place, ParametersOf(released, before), ParametersOf(current, now));
        CompareRequest($"{place} request", Resolve(released, before["requestBody"]), Resolve(current, now["requestBody"]));
        foreach (var (status, response) in Members(before["responses"]))
        {
            if (Resolve(current, now["responses"]![status]) is { } same)
            {
                CompareContent($"{place} {status}", Resolve(released, response)!, same, isRequest: false);
            }
            else
            {
                _breaks.Add($"{place} {status}: removed");
            }
        }
    }

    private void CompareParameters(string place, Dictionary<string, JsonNode> before, Dictionary<string, JsonNode> now)
    {
        foreach (var (name, parameter) in before)
        {
            if (now.TryGetValue(name, out var same))
            {
                CompareSchema($"{place} {name}", parameter["schema"]!, same["schema"]!, isRequest: true);
            }
            else
            {
                _breaks.Add($"{place} {name}: removed");
            }
        }

        _breaks.AddRange(now.Where(one => IsTrue(one.Value["required"]) && !(before.TryGetValue(one.Key, out var old) && IsTrue(old["required"]))).Select(one => $"{place} {one.Key}: required"));
    }

    private void CompareRequest(string place, JsonNode? before, JsonNode? now)
    {
        if (IsTrue(now?["required"]) && !IsTrue(before?["required"]))
        {
            _breaks.Add($"{place}: required");
        }

        if (before is not null)
        {
            CompareContent(place, before, now, isRequest: true);
        }
    }

    private void CompareContent(string place, JsonNode before, JsonNode? now, bool isRequest)
    {
        foreach (var (type, content) in Members(before["content"]))
        {
            if (now?["content"]?[type] is { } same)
            {
                CompareSchema($"{place} {type}", content["schema"]!, same["schema"]!, isRequest);
            }
            else
            {
                _breaks.Add($"{place} {type}: removed");
            }
        }
    }

    private void CompareSchema(string place, JsonNode before, JsonNode now, bool isRequest)
    {
        if (before["$ref"] is { } reference && now["$ref"] is { } other && !_compared.Add(($"{reference}{isRequest}", $"{other}")))
        {
            return;
        }

        (before, now) = (Resolve(released, before)!, Resolve(current, now)!);
        foreach (var keyword in new[] { "type", "format", "enum", "pattern", "additionalProperties" })
        {
            CompareText(place, before, now, keyword);
        }

        foreach (var (name, property) in Members(before["properties"]))
        {
            if (now["properties"]?[name] is { } same)
            {
                CompareSchema($"{place} {name}", property, same, isRequest);
            }
            else
            {
                _breaks.Add($"{place} {name}: removed");
            }
        }

        var (required, requiredNow) = (TextsOf(before["required"]), TextsOf(now["required"]));
        _breaks.AddRange(isRequest ? requiredNow.Except(required).Select(name => $"{place} {name}: required") : required.Except(requiredNow).Select(name => $"{place} {name}: optional"));
        CompareParts(place, Parts(before), Parts(now), isRequest);
    }

    private void CompareParts(string place, List<JsonNode> before, List<JsonNode> now, bool isRequest)
    {
        if (before.Count != now.Count)
        {
            _breaks.Add($"{place}: number of subschemas changed");
            return;
        }

        foreach (var (part, same) in before.Zip(now))
        {
            CompareSchema(place, part, same, isRequest);
        }
    }

    private void CompareText(string place, JsonNode before, JsonNode now, string keyword)
    {
        if (!JsonNode.DeepEquals(before[keyword], now[keyword]))
        {
            _breaks.Add($"{place}: {keyword} changed");
        }
    }

    /// <summary>The subschemas that have no name.</summary>
    private static List<JsonNode> Parts(JsonNode schema) =>
        [.. new[] { "oneOf", "anyOf", "allOf" }.SelectMany(keyword => schema[keyword]?.AsArray() ?? []).Append(schema["items"]).OfType<JsonNode>()];

    private static Dictionary<string, JsonNode> ParametersOf(JsonNode document, JsonNode operation) =>
        (operation["parameters"]?.AsArray() ?? []).Select(parameter => Resolve(document, parameter)!).ToDictionary(parameter => $"{parameter["in"]} {parameter["name"]}");

    private static string SecurityOf(JsonNode document, JsonNode operation) => (operation["security"] ?? document["security"])?.ToJsonString() ?? "";

    private static IEnumerable<(string Name, JsonNode Value)> Members(JsonNode? node) => (node?.AsObject() ?? []).Select(member => (member.Key, member.Value!));

    private static IEnumerable<string> TextsOf(JsonNode? array) => (array?.AsArray() ?? []).Select(text => text!.GetValue<string>());

    private static bool IsTrue(JsonNode? node) => node?.GetValue<bool>() is true;

    private static JsonNode? Resolve(JsonNode document, JsonNode? node) => node?["$ref"]?.GetValue<string>() is { } reference
        ? reference.Split('/')[1..].Aggregate(document, (parent, name) => parent[name]!)
        : node;
}
