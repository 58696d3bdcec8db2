using System.Security.Cryptography;

namespace LumaGateway.SystemTests.Sdk;

/// <summary>Luma's official SDK from npm, unmodified. Needs node and npm. Slow: npm fetches the SDK, once for each change of the lock file.</summary>
public sealed class SdkTests
{
    private static readonly string Project = Path.Combine(Repository.Root, "tests/LumaGateway.SystemTests");
    private static readonly string Source = Path.Combine(Project, "Sdk");

    [Fact]
    public async Task The_official_sdk_works_unmodified_against_the_gateway()
    {
        Tool.Require("node");
        Tool.Require("npm");
        var folder = Directory.CreateDirectory(Path.Combine(await InstalledAsync(), $"run-{Guid.NewGuid():N}")); // node resolves modules in parent folders
        try
        {
            File.Copy(Path.Combine(Source, "check.mjs"), Path.Combine(folder.FullName, "check.mjs"));
            await using var sandbox = await SandboxProcess.StartAsync();
            var settings = ReplicaGroup.SettingsFor(sandbox, redis: null);
            settings["Luma:BaseAddress"] = new Uri(sandbox.Address, "dream-machine/v1").AbsoluteUri;
            settings["Luma:Dialect"] = "dream-machine";
            settings["Callbacks:SecretFile"] = Path.Combine(folder.FullName, "secret");
            settings["Callbacks:PublicUrl"] = "http://127.0.0.1:9"; // only sent to the upstream; this test receives no callbacks
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
            var exit = await check.WaitForExitAsync();

            TestContext.Current.TestOutputHelper?.WriteLine(check.Everything);
            Assert.True(exit == 0, $"{check.Everything}\n{gateway.Log}");
            Assert.Equal(22, check.Output.Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The folder with the packages of the lock file, below the project's obj folder; installed again when the lock file changes. Skips the test if npm cannot download them.</summary>
    private static async Task<string> InstalledAsync()
    {
        var digest = SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Source, "package-lock.json"), TestContext.Current.CancellationToken));
        var installed = Path.Combine(Project, "obj", $"sdk-{Convert.ToHexStringLower(digest)[..16]}");
        if (Directory.Exists(installed))
        {
            return installed;
        }

        // Installed in a temporary folder and then moved, because another test process may install at the same time.
        var folder = Directory.CreateDirectory($"{installed}.{Guid.NewGuid():N}");
        foreach (var file in Directory.EnumerateFiles(Source, "package*.json"))
        {
            File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
        }

        await using var install = ChildProcess.Start(Tool.Find("npm")!, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], directory: folder.FullName);
        var exit = await install.WaitForExitAsync(TimeSpan.FromMinutes(10));
        if (exit != 0)
        {
            folder.Delete(recursive: true);
            Assert.Skip($"Needs the package lumaai, which npm could not install.\n{install.Everything}");
        }

        try
        {
            folder.MoveTo(installed);
        }
        catch (IOException) when (Directory.Exists(installed))
        {
            folder.Delete(recursive: true);
        }

        return installed;
    }
}
