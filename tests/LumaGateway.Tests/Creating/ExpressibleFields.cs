using System.Text.Json.Nodes;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Creating;

/// <summary>The table "What each dialect can express" of <c>docs/creating.md</c>.</summary>
internal static class ExpressibleFields
{
    private const string None = "—";

    private static readonly string[][] Rows =
    [
        .. Repository.Read("docs/creating.md").Split('\n')
            .SkipWhile(line => !line.StartsWith("| field |", StringComparison.Ordinal))
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Trim('|', ' ').Split('|').Select(cell => cell.Trim()).ToArray()),
    ];

    /// <summary>The columns: a dialect, and the type if it creates more than videos.</summary>
    public static IReadOnlyList<(string Dialect, string Type)> Columns { get; } =
        [.. Rows[0][1..].Select(cell => cell.Split(", ")).Select(parts => (parts[0], parts.Length > 1 ? parts[1] : "video"))];

    /// <summary>The fields of the rows.</summary>
    public static IReadOnlyList<string> Fields { get; } = [.. Rows[2..].Select(row => row[0].Trim('`'))];

    /// <summary>Whether the table says that the dialect can express the field; null without a column for the type.</summary>
    public static bool? Has(string dialect, string type, string field)
    {
        var column = Columns.ToList().IndexOf((dialect, type));
        return column < 0 ? null : Rows[2..].Single(row => row[0] == $"`{field}`")[column + 1] != None;
    }

    /// <summary>A body with one valid value of the field, and what the dialect requires beside it.</summary>
    public static JsonObject Sample(string dialect, string type, string field)
    {
        var body = new JsonObject { ["type"] = type, ["prompt"] = "cat dance" };
        if (dialect is "new-api")
        {
            body["model"] = "luma-ray";
            if (field is "aspect_ratio" or "resolution")
            {
                (body["aspect_ratio"], body["resolution"]) = ("16:9", "720p");
            }
        }

        body[field] = field switch
        {
            "prompt" => "a cat that dances",
            "model" => (dialect, type) switch
            {
                ("relay", _) => "ray-v2",
                ("dream-machine", "video") => "ray-flash-2",
                ("dream-machine", _) => "photon-flash-1",
                ("agents", "video") => "ray-3.2",
                ("agents", _) => "uni-1",
                _ => "luma-ray",
            },
            "aspect_ratio" => "16:9",
            "duration" => 5,
            "resolution" => "720p",
            "loop" => true,
            "reference_images" => new JsonArray("https://h/r"),
            "negative_prompt" => "dogs",
            "seed" => 7,
            _ => "https://h/" + field,
        };
        return body;
    }
}
