using System.IO.Compression;
using System.Text;
using System.Xml.Linq;

namespace LumaGateway.SystemTests.Packages;

/// <summary>The NuGet package of the client, as <c>dotnet pack</c> builds it. Needs git for the commit in the package.</summary>
public sealed class ClientPackageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-package-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_package_has_program_documentation_readme_licence_commit_and_symbols()
    {
        Tool.Require("git");
        await using var pack = ChildProcess.Start(ChildProcess.Dotnet, ["pack", "src/LumaGateway.Client", "--output", _folder.FullName, "-v", "quiet"], directory: Repository.Root);
        Assert.True(await pack.WaitForExitAsync(TimeSpan.FromMinutes(5)) == 0, pack.Everything);

        using var package = ZipFile.OpenRead(Assert.Single(_folder.GetFiles("LumaGateway.Client.*.nupkg")).FullName);
        using var symbols = ZipFile.OpenRead(Assert.Single(_folder.GetFiles("LumaGateway.Client.*.snupkg")).FullName);

        Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, "src/LumaGateway.Client/README.md")), Read(package, "README.md"));
        Assert.Equal(File.ReadAllText(Path.Combine(Repository.Root, "LICENSE")), Read(package, "LICENSE"));
        Assert.NotNull(package.GetEntry("lib/net10.0/LumaGateway.Client.dll"));
        Assert.Contains("M:LumaGateway.Client.LumaGatewayClient.WaitAsync(", Read(package, "lib/net10.0/LumaGateway.Client.xml"), StringComparison.Ordinal);
        Assert.Contains("BSJB", Read(symbols, "lib/net10.0/LumaGateway.Client.pdb")[..4], StringComparison.Ordinal); // a portable PDB

        var metadata = XDocument.Parse(Read(package, "LumaGateway.Client.nuspec")).Root!.Elements().Single();
        Assert.Equal("MIT", Element("license").Value);
        Assert.Equal("README.md", Element("readme").Value);
        Assert.Matches("^[0-9a-f]{40}$", Element("repository").Attribute("commit")?.Value);
        Assert.Equal(
            ["Microsoft.Extensions.Diagnostics.HealthChecks", "Microsoft.Extensions.Http"],
            Element("dependencies").Descendants().Where(one => one.Name.LocalName is "dependency").Select(one => one.Attribute("id")!.Value));

        XElement Element(string name) => metadata.Elements().Single(one => one.Name.LocalName == name);
    }

    private static string Read(ZipArchive archive, string entry)
    {
        using var reader = new StreamReader(archive.GetEntry(entry)!.Open(), Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
