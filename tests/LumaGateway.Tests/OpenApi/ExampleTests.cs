using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace LumaGateway.Tests.OpenApi;

/// <summary>Every example of the OpenAPI document is valid against its schema (JSON Schema 2020-12).</summary>
public sealed class ExampleTests(ServedDocument document) : IClassFixture<ServedDocument>
{
    [Fact]
    public void Every_example_is_valid()
    {
        var contents = Contents().ToList();

        var examples = contents.SelectMany(content => content.Examples.Select(example => (content.Place, content.Schema, Value: document.Resolve(example)["value"])));
        var parameters = Parameters().Where(parameter => parameter.Value["example"] is not null).Select(parameter => (parameter.Place, Schema: parameter.Value["schema"]!, Value: parameter.Value["example"]));
        var all = examples.Concat(parameters).ToList();

        Assert.Equal("", string.Join('\n', all.Where(example => !IsValid(example.Schema, example.Value)).Select(example => $"{example.Place}: {example.Value?.ToJsonString()}").Distinct()));
        Assert.True(all.Count > 100, $"Only {all.Count} examples were found.");
    }

    [Fact]
    public void Every_JSON_success_has_an_example()
    {
        var successes =
            from operation in document.Operations
            where operation.Operation["tags"]![0]!.GetValue<string>() is not "Raw API" // the upstream defines these bodies
            from response in operation.Operation["responses"]!.AsObject()
            where response.Key.StartsWith('2')
            from content in document.Resolve(response.Value!)["content"]?.AsObject() ?? []
            where content.Key is "application/json"
            select (Place: $"{operation.Method} {operation.Path} {response.Key}", Examples: content.Value!["examples"]?.AsObject().Count ?? 0);

        Assert.Equal("", string.Join('\n', successes.Where(success => success.Examples == 0).Select(success => success.Place)));
        Assert.True(successes.Count() >= 5, "Too few successes were found.");
    }

    [Theory]
    [InlineData("""{"$ref":"#/components/schemas/Problem"}""", """{"code":"invalid_id"}""")]
    [InlineData("""{"$ref":"#/components/schemas/GenerationState"}""", "\"dreaming\"")]
    [InlineData("""{"$ref":"#/components/schemas/BatchItem"}""", """{"id":"a","generation":{},"problem":null}""")]
    public void An_invalid_example_is_found(string schema, string example) => Assert.False(IsValid(JsonNode.Parse(schema)!, JsonNode.Parse(example)));

    private IEnumerable<(string Place, JsonNode Schema, IEnumerable<JsonNode> Examples)> Contents() =>
        from operation in document.Operations
        from response in operation.Operation["responses"]!.AsObject()
        from content in document.Resolve(response.Value!)["content"]?.AsObject() ?? []
        where content.Value!["examples"] is not null
        select ($"{operation.Method} {operation.Path} {response.Key}", content.Value!["schema"]!, content.Value["examples"]!.AsObject().Select(example => example.Value!));

    private IEnumerable<(string Place, JsonNode Value)> Parameters() =>
        from operation in document.Operations
        from parameter in operation.Operation["parameters"]?.AsArray() ?? []
        select ($"{operation.Method} {operation.Path}", document.Resolve(parameter!));

    private bool IsValid(JsonNode schema, JsonNode? example)
    {
        var whole = schema.DeepClone().AsObject();
        whole["$defs"] = document.Root["components"]!["schemas"]!.DeepClone();
        whole["$defs"]!["Problem"]!["properties"]!["detail"]!.AsObject().Remove("x-ms-primary-error-message"); // no keyword of JSON Schema
        var text = whole.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal);
        return JsonSchema.FromText(text).Evaluate(JsonSerializer.SerializeToElement(example)).IsValid;
    }
}
