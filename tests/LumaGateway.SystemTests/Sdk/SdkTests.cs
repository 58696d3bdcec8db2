
namespace LumaGateway.SystemTests.Sdk;

/// <summary>Luma's official SDK from npm, unmodified.</summary>
public sealed class SdkTests
{
    [Fact]
    public async Task The_official_sdk_works_unmodified_against_the_gateway()
    {
        Tool.Require("node");
        Tool.Require("npm");
        var folder = Directory.CreateTempSubdirectory("luma-sdk-");
        try
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests/LumaGateway.SystemTests/Sdk")).Where(file => !file.EndsWith(".cs", StringComparison.Ordinal)))
            {
                File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
            }

            await using var install = ChildProcess.Start(Tool.Find("npm")!, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], directory: folder.FullName);
            var installed = await install.WaitForExitAsync(TimeSpan.FromMinutes(3)) == 0;
            Assert.SkipUnless(installed, $"Needs the package lumaai, which npm could not install.\n{install.Everything}");

            await using var sandbox = await SandboxProcess.StartAsync();
            var settings = Fleet.SettingsFor(sandbox, redis: null);
            settings["Luma:BaseAddress"] = new Uri(sandbox.Address, "dream-machine/v1").AbsoluteUri;
            settings["Luma:Dialect"] = "dream-machine";
            settings["Callbacks:SecretFile"] = Path.Combine(folder.FullName, "secret");
            settings["Callbacks:PublicUrl"] = "http://127.0.0.1:9"; // named to the upstream; that it does not come through is another test's
            await File.WriteAllTextAsync(settings["Callbacks:SecretFile"], "secret-of-the-sdk-test", TestContext.Current.CancellationToken);
            await using var gateway = await GatewayProcess.StartAsync(settings);

            await using var check = ChildProcess.Start(
                Tool.Find("node")!,
                ["check.mjs"],
                new Dictionary<string, string>
                {
                    ["LUMAAI_BASE_URL"] = new Uri(gateway.Address, "luma").AbsoluteUri,
                    ["LUMAAI_API_KEY"] = GatewayProcess.ClientKey,
                    ["SANDBOX_TOKEN"] = SandboxProcess.Token,
                    ["SANDBOX"] = sandbox.Address.AbsoluteUri.TrimEnd('/'),
                    ["NO_PROXY"] = "*",
                },
                folder.FullName);
            var exit = await check.WaitForExitAsync(TimeSpan.FromMinutes(2));

            TestContext.Current.TestOutputHelper?.WriteLine(check.Everything);
            Assert.True(exit == 0, $"{check.Everything}\n{gateway.Log}");
            Assert.Equal(22, check.Output.Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
