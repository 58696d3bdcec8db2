using System.Text.Json.Nodes;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.OpenApi;

/// <summary>The versions in <c>docs/generated-clients.md</c> are those that the system suite checks.</summary>
public sealed class GeneratedClientsPageTests
{
    private static readonly string Page = Repository.Read("docs/generated-clients.md");

    [Theory]
    [InlineData("openapi-typescript")]
    [InlineData("openapi-fetch")]
    [InlineData("@hey-api/openapi-ts")]
    public void A_package_of_npm_has_the_version_of_the_suite(string package)
    {
        var version = Json("Sdk/package.json")["dependencies"]![package]!.GetValue<string>();

        Assert.Contains($"{package} {version}", Page, StringComparison.Ordinal);
        Assert.Contains($"{package}@{version}", Page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NSwag.ConsoleCore", "NSwag")]
    [InlineData("Microsoft.OpenApi.Kiota", "Kiota")]
    public void A_tool_of_NuGet_has_the_version_of_the_suite(string package, string name)
    {
        var version = Json("OpenApi/dotnet-tools.json")["tools"]![package.ToLowerInvariant()]!["version"]!.GetValue<string>();

        Assert.Contains($"| {name} {version} |", Page, StringComparison.Ordinal);
        Assert.Contains($"{package} --version {version}", Page, StringComparison.Ordinal);
    }

    private static JsonNode Json(string path) => JsonNode.Parse(Repository.Read($"tests/LumaGateway.SystemTests/{path}"))!;
}
