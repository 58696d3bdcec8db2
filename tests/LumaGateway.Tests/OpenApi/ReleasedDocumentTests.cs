using System.Text.Json.Nodes;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

/// <summary>Compares the OpenAPI document with that of the last release, <c>openapi/v1.released.json</c>. A release copies <c>openapi/v1.json</c> to it. Needs nothing.</summary>
public sealed class ReleasedDocumentTests(ServedDocument document) : IClassFixture<ServedDocument>
{
    private const string Released = "openapi/v1.released.json";

    private static readonly Dictionary<string, Action<JsonNode>> Changes = new()
    {
        ["/generations/{id}/video: removed"] = root => root["paths"]!.AsObject().Remove("/generations/{id}/video"),
        ["delete /luma/files/{id}: removed"] = root => root["paths"]!["/luma/files/{id}"]!.AsObject().Remove("delete"),
        ["get /generations 200: removed"] = root => Responses(root).Remove("200"),
        ["get /generations 400: removed"] = root => Responses(root).Remove("400"),
        ["get /generations 200 application/json: removed"] = root => Responses(root)["200"]!["content"]!.AsObject().Remove("application/json"),
        ["get /generations 200 application/json generations problem: removed"] = root => Schema(root, "BatchItem")["properties"]!.AsObject().Remove("problem"),
        ["post /generations 201 application/json prompt: type changed"] = root => Schema(root, "Generation")["properties"]!["prompt"]!["type"] = "string",
        ["post /generations 201 application/json created_at: format changed"] = root => Schema(root, "Generation")["properties"]!["created_at"]!["format"] = "time",
        ["post /generations 201 application/json state: enum changed"] = root => Schema(root, "GenerationState")["enum"]!.AsArray().Add("paused"),
        ["post /generations 201 application/json video: number of subschemas changed"] = root => Schema(root, "Generation")["properties"]!["video"]!["oneOf"]!.AsArray().RemoveAt(1),
        ["post /generations 201 application/json model: optional"] = root => Remove(Schema(root, "Generation")["required"]!, "model"),
        ["get /generations query state: required"] = root => Get(root)["parameters"]!.AsArray().Add(Parameter(isRequired: true)),
        ["get /generations query ids: type changed"] = root => Get(root)["parameters"]![0]!["schema"]!["type"] = "string",
        ["get /generations query ids: removed"] = root => Get(root)["parameters"]!.AsArray().Clear(),
        ["get /generations: operationId changed"] = root => Get(root)["operationId"] = "ReadSeveral",
        ["get /generations: security changed"] = root => Get(root)["security"] = new JsonArray(),
        ["post /luma/files/{id}/complete request: required"] = root => Complete(root)["required"] = true,
        ["post /luma/files/{id}/complete request application/json: removed"] = root => Complete(root)["content"]!.AsObject().Clear(),
        ["post /luma/files/{id}/complete request application/json name: required"] = root => Complete(root)["content"]!["application/json"]!["schema"] =
            new JsonObject { ["type"] = "object", ["additionalProperties"] = new JsonObject(), ["required"] = new JsonArray("name") },
    };

    public static TheoryData<string> Breaks => [.. Changes.Keys];

    [Fact]
    public void No_difference_from_the_last_release_breaks_clients()
    {
        Assert.Equal("", string.Join('\n', DocumentComparison.BreaksOf(JsonNode.Parse(Repository.Read(Released))!, document.Root)));
    }

    [Theory]
    [MemberData(nameof(Breaks))]
    public void Each_kind_of_break_is_found(string expected)
    {
        var changed = document.Root.DeepClone();
        Changes[expected](changed);

        Assert.Contains(expected, DocumentComparison.BreaksOf(document.Root, changed));
    }

    [Fact]
    public void Additions_break_nothing()
    {
        var changed = document.Root.DeepClone();
        changed["paths"]!["/new"] = new JsonObject();
        Get(changed)["parameters"]!.AsArray().Add(Parameter(isRequired: false));
        Responses(changed)["418"] = new JsonObject { ["description"] = "New" };
        Schema(changed, "Generation")["properties"]!["seed"] = new JsonObject { ["type"] = "integer" };
        Schema(changed, "Generation")["required"]!.AsArray().Add("seed");
        Schema(changed, "Generation")["description"] = "Another";

        Assert.Empty(DocumentComparison.BreaksOf(document.Root, changed));
    }

    private static JsonNode Get(JsonNode root) => root["paths"]!["/generations"]!["get"]!;

    private static JsonObject Responses(JsonNode root) => Get(root)["responses"]!.AsObject();

    private static JsonNode Complete(JsonNode root) => root["paths"]!["/luma/files/{id}/complete"]!["post"]!["requestBody"]!;

    private static JsonNode Schema(JsonNode root, string name) => root["components"]!["schemas"]![name]!;

    private static JsonObject Parameter(bool isRequired) => new() { ["name"] = "state", ["in"] = "query", ["required"] = isRequired, ["schema"] = new JsonObject { ["type"] = "string" } };

    private static void Remove(JsonNode array, string text) => array.AsArray().Remove(array.AsArray().Single(item => item!.GetValue<string>() == text));
}
