using System.Globalization;
using System.Net;
using LumaGateway.SystemTests.Sdk;

namespace LumaGateway.SystemTests.Start;

/// <summary>The demo: one command, without key and network. Needs sh and curl; the SDK's line needs node and npm.</summary>
public sealed class DemoTests : IDisposable
{
    /// <summary>More than the circuit breaker's default minimum of 10 calls.</summary>
    private const int Faults = 15;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-demo-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_printed_command_works_and_the_gateways_end_with_the_demo()
    {
        Tool.Require("sh");
        Tool.Require("curl");
        await using var demo = await FreePort.UseAsync(_ => StartAsync());
        var commands = demo.Output.Where(line => line.StartsWith("curl ", StringComparison.Ordinal)).ToList();

        Assert.Equal(8, commands.Count); // read, wait, watch, create and wait, download, and a create of the upstream's own for each of three dialects
        foreach (var command in commands)
        {
            await RunAsync($"{command} --fail-with-body --noproxy '*'", _folder.FullName);
        }

        Assert.Equal(1_000_000, new FileInfo(Path.Combine(_folder.FullName, "video.mp4")).Length);

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var addresses = AddressesOf(demo, "Gateway ").ToList();
        Assert.Equal(3, addresses.Count);
        foreach (var address in AddressesOf(demo, "Swagger ").Concat(StatusPagesOf(demo)))
        {
            using var page = await client.GetAsync(address, TestContext.Current.CancellationToken);
            Assert.True(page.IsSuccessStatusCode, $"{address}: {page.StatusCode}");
        }

        demo.Terminate();

        Assert.Equal(0, await demo.WaitForExitAsync());
        foreach (var address in addresses)
        {
            await Wait.UntilAsync(() => IsStoppedAsync(client, address), () => $"The gateway at {address} outlived the demo.");
        }
    }

    [Fact]
    public async Task The_printed_command_of_Lumas_SDK_works()
    {
        Tool.Require("sh");
        var packages = await NpmPackages.InstallAsync();
        await using var demo = await FreePort.UseAsync(_ => StartAsync());

        var output = await RunAsync(demo.Output.Single(line => line.StartsWith("LUMAAI_BASE_URL=", StringComparison.Ordinal)), packages);

        Assert.Contains("state: 'queued'", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fault-status-500")]
    [InlineData("fault-reset")]
    public async Task Ids_with_faults_do_not_open_the_circuit_for_other_ids(string fault)
    {
        await using var demo = await FreePort.UseAsync(_ => StartAsync("relay"));
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = AddressesOf(demo, "Gateway ").First() };

        var statuses = await Task.WhenAll(Enumerable.Range(0, Faults).Select(async i =>
        {
            using var failed = await client.GetAsync(new Uri($"/generations/{fault}-{i}", UriKind.Relative), TestContext.Current.CancellationToken);
            return failed.StatusCode;
        }));
        using var other = await client.GetAsync(new Uri("/generations/done-other", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.All(statuses, status => Assert.Equal(HttpStatusCode.BadGateway, status));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Theory]
    [InlineData(2, "Unknown argument: '--prot'. See --help.", "--prot", "8081")]
    [InlineData(2, "Unknown argument: 'stray'. See --help.", "stray")]
    [InlineData(2, "The argument '--port' needs a value. See --help.", "--port", "--alone")]
    [InlineData(1, "--dialect must be all, relay, dream-machine, agents, new-api or piapi.", "--dialect", "other")]
    [InlineData(0, "--gateway-port", "--help")]
    public async Task Arguments_are_explained_or_refused(int exitCode, string output, params string[] arguments)
    {
        await using var demo = ChildProcess.Start(ChildProcess.Dotnet, [Path.Combine(AppContext.BaseDirectory, "LumaGateway.Sandbox.dll"), .. arguments]);

        Assert.Equal(exitCode, await demo.WaitForExitAsync());
        Assert.Contains(output, demo.Everything, StringComparison.Ordinal);
    }

    private static async Task<ChildProcess> StartAsync(string dialect = "all")
    {
        var port = FreePort.ReserveRange(4);
        var demo = ChildProcess.Start(
            ChildProcess.Dotnet,
            [
                Path.Combine(AppContext.BaseDirectory, "LumaGateway.Sandbox.dll"),
                "--gateway-port", port.ToString(CultureInfo.InvariantCulture),
                "--port", (port + 1).ToString(CultureInfo.InvariantCulture),
                "--dialect", dialect,
            ]);
        try
        {
            await demo.ReadAsync(line => line.StartsWith(dialect is "all" ? "LUMAAI_BASE_URL=" : "# Create", StringComparison.Ordinal) ? line : null); // the last section
            return demo;
        }
        catch (Exception exception)
        {
            await demo.DisposeAsync();
            throw PortTakenException.IsIn(demo.Everything) ? new PortTakenException(exception.Message) : exception;
        }
    }

    private static async Task<string> RunAsync(string command, string directory)
    {
        await using var run = ChildProcess.Start(Tool.Find("sh")!, ["-c", command], new Dictionary<string, string> { ["NO_PROXY"] = "*" }, directory);
        var exit = await run.WaitForExitAsync();
        Assert.True(exit == 0, $"{command}\n{run.Everything}");
        return run.Everything;
    }

    private static IEnumerable<Uri> AddressesOf(ChildProcess demo, string name) => demo.Output
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Select(line => new Uri(line[name.Length..].Trim().Split(' ')[0]));

    private static IEnumerable<Uri> StatusPagesOf(ChildProcess demo) => demo.Output
        .Where(line => line.StartsWith("Gateway ", StringComparison.Ordinal))
        .Select(line => new Uri(line.Split(' ')[^1]));

    private static async Task<bool> IsStoppedAsync(HttpClient client, Uri gateway)
    {
        try
        {
            using var response = await client.GetAsync(gateway, TestContext.Current.CancellationToken);
            return false;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }
}
