using System.Text.Json.Nodes;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

/// <summary>The operations of routes that an operator adds, in the OpenAPI document.</summary>
public sealed class OwnRouteTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway()
        .With("ReverseProxy:Routes:own:ClusterId", "luma")
        .With("ReverseProxy:Routes:own:Match:Path", "/luma/own/{name}");

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("GET", null, "permission `raw`")]
    [InlineData("POST", null, "permissions `raw` and `create`")]
    [InlineData("PUT", null, "permissions `raw` and `create`")]
    [InlineData("PATCH", null, "permissions `raw` and `create`")]
    [InlineData("DELETE", null, "permissions `raw` and `delete`")]
    [InlineData("POST", "raw", "permission `raw`")]
    [InlineData("PATCH", "read-all", "permissions `raw` and `read-all`")]
    [InlineData("DELETE", "purge", "permissions `raw` and `purge`")]
    public async Task An_operation_names_the_permissions_that_its_route_requires(string method, string? permission, string expected)
    {
        var operation = await OperationAsync(method, permission);

        Assert.Equal($"Requires the {expected}.", operation["description"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    public async Task A_method_with_a_body_has_the_problems_of_bodies(string method)
    {
        var responses = (await OperationAsync(method, permission: null))["responses"]!;

        Assert.NotNull(responses["413"]);
        Assert.Contains("BodyStorageUnavailable", responses["503"]!["$ref"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task<JsonNode> OperationAsync(string method, string? permission)
    {
        _gateway.With("ReverseProxy:Routes:own:Match:Methods:0", method).With("ReverseProxy:Routes:own:Metadata:Permission", permission);
        using var caller = _gateway.CreateCallerWithoutKey();
        var document = JsonNode.Parse(await caller.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken))!;
        return document["paths"]!["/luma/own/{name}"]![method.ToLowerInvariant()]!;
    }
}
