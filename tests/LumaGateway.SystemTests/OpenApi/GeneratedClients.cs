using System.Globalization;
using LumaGateway.SystemTests.Sdk;

namespace LumaGateway.SystemTests.OpenApi;

/// <summary>
/// A gateway, and the clients that generators make of its OpenAPI document. The first test of a language generates and compiles its clients, in a temporary folder
/// without parents, so that no setting of this repository applies to them.
/// </summary>
public sealed class GeneratedClients : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-gateway-clients-");
    private readonly SharedSandbox _shared;
    private readonly Lazy<Task<string>> _csharp;
    private readonly Lazy<Task<string>> _typescript;
    private GatewayProcess _gateway = null!;

    public GeneratedClients(SharedSandbox shared)
    {
        _shared = shared;
        _csharp = new(BuildCSharpAsync);
        _typescript = new(BuildTypeScriptAsync);
    }

    internal Uri Document => new(_gateway.Address, "/openapi/v1.json");

    private Dictionary<string, string> Environment => new()
    {
        ["GATEWAY"] = _gateway.Address.AbsoluteUri.TrimEnd('/'),
        ["CLIENT_KEY"] = GatewayProcess.ClientKey,
        ["NO_PROXY"] = "*",
        ["KIOTA_OFFLINE_ENABLED"] = "true", // looks for no newer version
        ["REDOCLY_TELEMETRY"] = "off",
        ["REDOCLY_SUPPRESS_UPDATE_NOTICE"] = "true",
    };

    public async ValueTask InitializeAsync()
    {
        var sandbox = await _shared.GetAsync();
        _gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(ReplicaGroup.SettingsFor(sandbox, redis: null))
        {
            ["Assets:AllowHttp"] = "true",
            ["Assets:AllowedHosts:0"] = string.Create(CultureInfo.InvariantCulture, $"{sandbox.Address.Host}:{sandbox.Address.Port}"),
            ["Assets:AllowedNetworks:0"] = "127.0.0.0/8",
        });
    }

    /// <summary>Runs the checks with a C# client, and returns the names of those that succeeded.</summary>
    internal async Task<IEnumerable<string>> CheckCSharpAsync(string client) =>
        ChecksIn(await RunAsync(ChildProcess.Dotnet, [await _csharp.Value, client], _folder.FullName));

    /// <summary>Runs the checks with a TypeScript client, and returns the names of those that succeeded.</summary>
    internal async Task<IEnumerable<string>> CheckTypeScriptAsync(string client) =>
        ChecksIn(await RunAsync(Tool.Find("node")!, [Path.Combine(await _typescript.Value, "out", $"{client}.js")], _folder.FullName));

    /// <summary>Runs a program of an npm package, and returns its output. Fails if its exit code is not 0.</summary>
    internal async Task<string> RunNodeAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var packages = await NpmPackages.InstallAsync();
        return await RunAsync(Tool.Find("node")!, [Path.Combine(packages, "node_modules", program), .. arguments], folder ?? _folder.FullName);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<string> BuildCSharpAsync()
    {
        var folder = CopyOf("csharp");
        await DotnetTools.RestoreAsync(folder);
        await RunAsync(
            ChildProcess.Dotnet,
            [
                "nswag", "openapi2csclient", $"/input:{Document}", "/output:NSwag.g.cs", "/namespace:Generated.NSwag", "/classname:GatewayClient", "/jsonlibrary:SystemTextJson",
                "/generateNullableReferenceTypes:true", "/generateOptionalParameters:true", "/parameterDateTimeFormat:O",
            ],
            folder);
        var kiota = await RunAsync(
            ChildProcess.Dotnet,
            [
                "kiota", "generate", "-d", Document.AbsoluteUri, "-l", "CSharp", "-o", "Kiota", "-n", "Generated.Kiota", "-c", "GatewayClient", "--exclude-backward-compatible",
                "--disable-validation-rules", "NoServerEntry", // the server is "/": the client's user sets the address
            ],
            folder);
        Assert.DoesNotContain("warn:", kiota, StringComparison.Ordinal);
        await RunAsync(
            ChildProcess.Dotnet,
            ["build", "--no-restore", "-v", "quiet", "--output", "out", "-nodeReuse:false", "-p:UseSharedCompilation=false"], // starts no server that outlives it
            folder);
        return Path.Combine(folder, "out", "Clients.dll");
    }

    private async Task<string> BuildTypeScriptAsync()
    {
        var packages = await NpmPackages.InstallAsync();
        var folder = CopyOf("typescript");
        Directory.CreateSymbolicLink(Path.Combine(folder, "node_modules"), Path.Combine(packages, "node_modules"));
        await RunNodeAsync("openapi-typescript/bin/cli.js", [Document.AbsoluteUri, "--output", "generated/openapi-typescript.ts"], folder);
        await RunNodeAsync("@hey-api/openapi-ts/bin/run.js", ["--no-log-file"], folder);
        await RunNodeAsync("typescript/bin/tsc", ["--project", "."], folder);
        return folder;
    }

    private string CopyOf(string language)
    {
        var folder = _folder.CreateSubdirectory(language);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(DotnetTools.Source, language)))
        {
            File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
        }

        return folder.FullName;
    }

    private async Task<string> RunAsync(string file, IEnumerable<string> arguments, string folder)
    {
        await using var process = ChildProcess.Start(file, arguments, Environment, folder);
        var exit = await process.WaitForExitAsync(TimeSpan.FromMinutes(5));
        Assert.True(exit == 0, $"{Path.GetFileName(file)} {string.Join(' ', arguments)} ended with {exit}.\n{process.Everything}\n{_gateway.Log}");
        return process.Everything;
    }

    private static IEnumerable<string> ChecksIn(string output) => output.Split('\n').Where(line => line.StartsWith("ok ", StringComparison.Ordinal)).Select(line => line[3..]);
}
