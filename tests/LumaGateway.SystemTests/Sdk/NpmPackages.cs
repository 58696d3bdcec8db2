using System.Security.Cryptography;

namespace LumaGateway.SystemTests.Sdk;

/// <summary>The packages of <c>package-lock.json</c>, which npm fetches once for each change of that file.</summary>
internal static class NpmPackages
{
    private static readonly string Project = Path.Combine(Repository.Root, "tests/LumaGateway.SystemTests");

    /// <summary>The folder with the two package files and the scripts.</summary>
    public static string Source { get; } = Path.Combine(Project, "Sdk");

    /// <summary>
    /// The folder that contains <c>node_modules</c>, below the project's obj folder. Skips the test if node or npm is not installed, or npm cannot download the packages.
    /// </summary>
    public static async Task<string> InstallAsync()
    {
        Tool.Require("node");
        Tool.Require("npm");
        var digest = SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(Source, "package-lock.json"), TestContext.Current.CancellationToken));
        var installed = Path.Combine(Project, "obj", $"sdk-{Convert.ToHexStringLower(digest)[..16]}");
        if (Directory.Exists(installed))
        {
            return installed;
        }

        // Installed in a temporary folder and then moved, because another test may install at the same time.
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
            Assert.Skip($"Needs packages that npm could not install.\n{install.Everything}");
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
