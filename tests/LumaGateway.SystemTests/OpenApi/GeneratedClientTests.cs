namespace LumaGateway.SystemTests.OpenApi;

/// <summary>
/// Clients that four generators make of the OpenAPI document compile without warnings and work. Needs node and npm, and packages from npm and NuGet. Slow: two
/// compilations.
/// </summary>
public sealed class GeneratedClientTests(GeneratedClients clients) : IClassFixture<GeneratedClients>
{
    private static readonly string[] Checks = ["get", "wait", "batch", "asset", "problem", "create", "create and wait", "create problem", "delete problem", "create raw", "get created", "jobs"];

    [Theory]
    [InlineData("nswag")]
    [InlineData("kiota")]
    public async Task A_generated_CSharp_client_works(string generator) => Assert.Equal(Checks, await clients.CheckCSharpAsync(generator));

    [Theory]
    [InlineData("openapi-fetch")]
    [InlineData("hey-api")]
    public async Task A_generated_TypeScript_client_works(string generator) => Assert.Equal(Checks, await clients.CheckTypeScriptAsync(generator));

    [Fact]
    public async Task Spectral_finds_nothing()
    {
        var findings = await clients.RunNodeAsync(
            "@stoplight/spectral-cli/dist/index.js",
            ["lint", clients.Document.AbsoluteUri, "--ruleset", Path.Combine(DotnetTools.Source, "spectral.yaml"), "--fail-severity", "hint", "--format", "json"]);

        Assert.StartsWith("[]", findings, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redocly_finds_nothing()
    {
        var findings = await clients.RunNodeAsync("@redocly/cli/bin/cli.js", ["lint", clients.Document.AbsoluteUri, "--extends", "recommended-strict", "--format", "json"]);

        Assert.Contains("\"errors\": 0", findings, StringComparison.Ordinal);
        Assert.Contains("\"warnings\": 0", findings, StringComparison.Ordinal);
    }
}
