using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace LumaGateway.SystemTests.Infra;

/// <summary>Checks the Dockerfile without a Docker engine.</summary>
public sealed partial class DockerfileTests(SharedSandbox shared)
{
    private static readonly Dockerfile File = Dockerfile.Read();

    [Fact]
    public void Every_base_image_is_pinned_by_version_and_digest() => Assert.All(
        File.Stages.Where(stage => File.Stages.All(other => other.Name != stage.From)),
        stage => Assert.Matches(PinnedTag(), stage.From));

    [Fact]
    public void The_image_that_is_built_by_default_is_the_gateway() => Assert.Equal("gateway", File.Stages[^1].Name);

    [Theory]
    [InlineData("gateway", "[\"/app/LumaGateway\"]")]
    [InlineData("sandbox", "[\"dotnet\", ")]
    public void The_program_runs_without_root_shell_and_writable_folder(string stage, string program)
    {
        var history = File.History(File.Named(stage));

        Assert.Equal("$APP_UID", history.Last(instruction => instruction.Name is "USER").Arguments);
        Assert.StartsWith(program, history.Last(instruction => instruction.Name is "ENTRYPOINT").Arguments, StringComparison.Ordinal);
        Assert.Contains(history, instruction => instruction is { Name: "ENV", Arguments: "DOTNET_EnableDiagnostics=0" });
        Assert.DoesNotContain(history, instruction => instruction.Name is "RUN" or "ADD" or "VOLUME");
    }

    [Fact]
    public void The_image_has_descriptive_labels() => Assert.All(
        ["title", "description", "licenses", "version", "revision"],
        label => Assert.Contains(
            File.Named("gateway").Instructions,
            instruction => instruction.Name is "LABEL" && instruction.Arguments.Contains($"org.opencontainers.image.{label}=", StringComparison.Ordinal)));

    [Fact]
    public void The_native_compiler_has_the_patch_version_of_the_base_image()
    {
        var project = XDocument.Load(Path.Combine(Repository.Root, "src/LumaGateway/LumaGateway.csproj"));

        Assert.Contains($":{project.Descendants("RuntimeFrameworkVersion").Single().Value}-", File.Named("gateway").From, StringComparison.Ordinal);
    }

    /// <summary>
    /// Runs the steps of the build stage in a folder that contains only the copied files, up to the response file of the native compiler.
    /// <see cref="The_native_program_is_the_gateway"/> checks the compiled program. Needs clang. Slow: it compiles the gateway.
    /// </summary>
    [Fact]
    public async Task The_build_stage_copies_all_files_that_it_compiles()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The build needs Linux.");
        Tool.Require("clang");
        var folder = Directory.CreateTempSubdirectory("luma-image-");
        var source = folder.CreateSubdirectory("source").FullName;
        var published = 0;

        foreach (var step in File.Named("build").Instructions)
        {
            switch (step.Name)
            {
                case "COPY":
                    Copy(step.Arguments.Split(' '), source);
                    break;
                case "RUN" when step.Arguments.StartsWith("dotnet publish ", StringComparison.Ordinal):
                    await RunAsync(CompileOnly(step.Arguments), source);
                    published++;
                    break;
                case "RUN" when !step.Arguments.StartsWith("apt-get ", StringComparison.Ordinal): // installed already, or the test is skipped
                    await RunAsync(step.Arguments, source);
                    break;
            }
        }

        Assert.Equal(1, published);
        var compilerArguments = await System.IO.File.ReadAllLinesAsync(
            Directory.GetFiles(source, "*.ilc.rsp", SearchOption.AllDirectories).Single(), TestContext.Current.CancellationToken);
        AssertOptimized(compilerArguments);
        var inputs = compilerArguments.Select(argument => Input().Match(argument)).Where(match => match.Success).Select(match => match.Groups["file"].Value).ToList();
        Assert.True(inputs.Count > 100, $"{inputs.Count} files are compiled.");
        Assert.All(inputs, file => Assert.True(System.IO.File.Exists(Path.Combine(source, "src/LumaGateway", file)), $"{file} is compiled but does not exist."));
        folder.Delete(recursive: true);
    }

    /// <summary>
    /// The native program responds like the assembly, and has the same OpenAPI document, which is created by reflection. Needs a native program, which CI builds with
    /// the command of the Dockerfile.
    /// </summary>
    [Fact]
    public async Task The_native_program_is_the_gateway()
    {
        Assert.SkipWhen(GatewayProgram.Tested == GatewayProgram.Assembly, "Needs a native program, named by LUMA_GATEWAY_PROGRAM; docs/operations.md describes the build.");
        var program = GatewayProgram.Tested;
        Assert.Equal(
            ["LumaGateway", "LumaGateway.xml", "appsettings.json"],
            Directory.GetFiles(Path.GetDirectoryName(program.File)!).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var settings = ReplicaGroup.SettingsFor(await shared.GetAsync(), redis: null);
        await using var native = await GatewayProcess.StartAsync(settings, program);
        await using var assembly = await GatewayProcess.StartAsync(settings, GatewayProgram.Assembly);

        Assert.Equal(await assembly.ReadAsync(SandboxProcess.SampleId), await native.ReadAsync(SandboxProcess.SampleId));
        Assert.Equal(await DocumentAsync(assembly), await DocumentAsync(native));
        await using var key = program.Start(["key", "new"], new Dictionary<string, string>());
        Assert.Equal(0, await key.WaitForExitAsync());
    }

    [Fact]
    public async Task Its_health_check_fails_exactly_if_the_gateway_does_not_respond()
    {
        await using var gateway = await GatewayProcess.StartAsync(ReplicaGroup.SettingsFor(await shared.GetAsync(), redis: null));

        await Wait.UntilAsync(async () => await CheckAsync(Ports(gateway.Address)) == 0, () => $"The health check failed.\n{gateway.Log}"); // the health check has a timeout of two seconds
        gateway.Process.Kill();
        Assert.Equal(1, await CheckAsync(Ports(gateway.Address)));
    }

    /// <summary>The image sets <c>ASPNETCORE_HTTP_PORTS</c>. Operators set the others, which the gateway prefers to it.</summary>
    [Theory]
    [InlineData("ASPNETCORE_URLS")]
    [InlineData("Kestrel__Endpoints__Http__Url")]
    public async Task Its_health_check_asks_at_the_address_of_the_settings(string variable)
    {
        await using var gateway = await GatewayProcess.StartAsync(ReplicaGroup.SettingsFor(await shared.GetAsync(), redis: null));
        var environment = new Dictionary<string, string> { ["ASPNETCORE_HTTP_PORTS"] = "9", [variable] = gateway.Address.AbsoluteUri };

        await Wait.UntilAsync(async () => await CheckAsync(environment) == 0, () => $"The health check failed.\n{gateway.Log}");
    }

    private static Dictionary<string, string> Ports(Uri address) => new() { ["ASPNETCORE_HTTP_PORTS"] = $"{address.Port}" };

    private static async Task<int> CheckAsync(Dictionary<string, string> environment)
    {
        var command = File.Named("gateway").Instructions.Single(instruction => instruction.Name is "HEALTHCHECK").Arguments;
        Assert.EndsWith("""CMD ["/app/LumaGateway", "health"]""", command, StringComparison.Ordinal);
        await using var check = GatewayProgram.Tested.Start(["health"], environment);
        return await check.WaitForExitAsync();
    }

    /// <summary>The conditions in the project file depend on the order of MSBuild evaluation, so the arguments can be missing without an error.</summary>
    private static void AssertOptimized(string[] compilerArguments)
    {
        Assert.Contains("--Ot", compilerArguments);
        Assert.Contains(compilerArguments, argument => argument.StartsWith("--mibc:", StringComparison.Ordinal));
        Assert.Equal(
            RuntimeInformation.ProcessArchitecture is Architecture.X64,
            compilerArguments.Contains("--instruction-set:x86-64-v3"));
    }

    private static Task<string> DocumentAsync(GatewayProcess gateway) =>
        gateway.Client.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>Copies files or the content of folders into a folder, like Docker with the repository's <c>.dockerignore</c>.</summary>
    private static void Copy(string[] paths, string source)
    {
        var target = Path.Combine(source, paths[^1]);
        foreach (var path in paths[..^1])
        {
            var from = Path.Combine(Repository.Root, path);
            var files = System.IO.File.Exists(from) ? [from] : Directory.GetFiles(from, "*", SearchOption.AllDirectories);
            foreach (var file in files.Where(file => !BuildOutput().IsMatch(file)))
            {
                var to = Path.Combine(target, System.IO.File.Exists(from) ? Path.GetFileName(file) : Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                System.IO.File.Copy(file, to, overwrite: true);
            }
        }
    }

    /// <summary>Changes the command to stop after the response file of the native compiler, without analyzers.</summary>
    private static string CompileOnly(string publish) =>
        publish.Replace("dotnet publish ", "dotnet build -t:WriteIlcRspFileForCompilation -p:_IsPublishing=true -p:RunAnalyzers=false ", StringComparison.Ordinal)
            .Replace(" --output /app", "", StringComparison.Ordinal);

    private static async Task RunAsync(string command, string directory)
    {
        // No build server stays running.
        var environment = new Dictionary<string, string> { ["MSBUILDDISABLENODEREUSE"] = "1", ["UseSharedCompilation"] = "false" };
        await using var process = ChildProcess.Start("sh", ["-c", command], environment, directory);
        Assert.True(await process.WaitForExitAsync(TimeSpan.FromMinutes(15)) == 0, $"{command} failed.\n{process.Everything}");
    }

    [GeneratedRegex(@"^(-r:|--mibc:|--descriptor:|)(?<file>[^-:][^:]*\.(dll|mibc|xml))$")]
    private static partial Regex Input();

    [GeneratedRegex(@":\d+\.\d+\.\d+(-[a-z0-9-]+)?@sha256:[0-9a-f]{64}$")]
    private static partial Regex PinnedTag();

    [GeneratedRegex("/(bin|obj)/")]
    private static partial Regex BuildOutput();
}
