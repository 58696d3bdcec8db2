using System.Text.Json.Nodes;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

/// <summary>The OpenAPI document that a gateway with the default settings serves.</summary>
public sealed class ServedDocument : IAsyncLifetime
{
    public string Text { get; private set; } = "";

    public JsonNode Root { get; private set; } = null!;

    public IEnumerable<(string Path, string Method, JsonObject Operation)> Operations =>
        from path in Root["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (path.Key, operation.Key, operation.Value!.AsObject());

    public async ValueTask InitializeAsync()
    {
        using var gateway = new Gateway();
        using var caller = gateway.CreateCallerWithoutKey();
        Text = await caller.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken);
        Root = JsonNode.Parse(Text)!;
    }

    public JsonObject Operation(string path, string method = "get") => Root["paths"]![path]![method]!.AsObject();

    /// <summary>Follows a reference; returns another node unchanged.</summary>
    public JsonNode Resolve(JsonNode node) => node["$ref"]?.GetValue<string>() is { } reference
        ? reference.Split('/')[1..].Aggregate(Root, (parent, name) => parent[name]!)
        : node;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
