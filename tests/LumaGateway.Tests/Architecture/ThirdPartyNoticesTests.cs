using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Architecture;

/// <summary>
/// Compares <c>THIRD-PARTY-NOTICES.md</c> with the lock files and the packages on this machine. With <c>WRITE_THIRD_PARTY_NOTICES=1</c> in the environment it writes
/// the file instead.
/// </summary>
public sealed partial class ThirdPartyNoticesTests
{
    private const string Page = "THIRD-PARTY-NOTICES.md";
    private const string ServiceLock = "src/LumaGateway/packages.lock.json";

    private const string Introduction =
        """
        # Third-party notices

        The NuGet packages of the gateway with their licences, as the packages themselves declare them (SPDX expressions). The file is generated from the lock files;
        `ThirdPartyNoticesTests` compares the two and refuses a licence that is not permissive. A native program also contains the .NET runtime (MIT, © .NET Foundation and Contributors).

        """;

    /// <summary>Permissive licences. A package under another licence needs a decision.</summary>
    private static readonly HashSet<string> AllowedLicences = ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT"];

    [Fact]
    public void The_page_lists_every_package_with_its_licence()
    {
        var path = Path.Combine(Repository.Root, Page);
        var expected = Expected();
        if (Environment.GetEnvironmentVariable("WRITE_THIRD_PARTY_NOTICES") is "1")
        {
            File.WriteAllText(path, expected);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == expected, $"{Page} differs from the lock files. Run this test with WRITE_THIRD_PARTY_NOTICES=1, and commit the file.");
    }

    [Fact]
    public void Every_package_has_a_permissive_licence()
    {
        var packages = All();

        Assert.True(packages.Count > 50, $"Only {packages.Count} packages were found.");
        Assert.All(packages, package => Assert.Contains(package.Licence, AllowedLicences));
    }

    private static string Expected()
    {
        var page = new StringBuilder(Introduction);
        var packages = All();
        Append(page, "In the service", packages.Where(package => package.IsInService));
        Append(page, "Only in the client, tests, the sandbox and the build", packages.Where(package => !package.IsInService));
        return page.ToString();
    }

    private static void Append(StringBuilder page, string title, IEnumerable<Package> packages)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n| package | version | licence | copyright |\n|---|---|---|---|\n");
        foreach (var one in packages)
        {
            page.Append(CultureInfo.InvariantCulture, $"| {one.Name} | {one.Version} | {one.Licence} | {one.Copyright} |\n");
        }
    }

    private static List<Package> All()
    {
        var service = IdsIn(ServiceLock).ToHashSet();
        return [.. LockFiles().SelectMany(IdsIn).Distinct().OrderBy(id => id.Name, StringComparer.OrdinalIgnoreCase).ThenBy(id => id.Version, StringComparer.Ordinal)
            .Select(id => Read(id, service.Contains(id)))];
    }

    /// <summary>Those of the solution: only its packages are restored before a test runs.</summary>
    private static IEnumerable<string> LockFiles() => ProjectInSolution().Matches(Repository.Read("LumaGateway.sln"))
        .Select(static match => Path.Combine(Path.GetDirectoryName(match.Groups[1].Value.Replace('\\', '/'))!, "packages.lock.json"));

    [GeneratedRegex("\"([^\"]+\\.csproj)\"")]
    private static partial Regex ProjectInSolution();

    private static IEnumerable<(string Name, string Version)> IdsIn(string lockFile)
    {
        using var json = JsonDocument.Parse(Repository.Read(lockFile));
        return [.. json.RootElement.GetProperty("dependencies").EnumerateObject().SelectMany(framework => framework.Value.EnumerateObject())
            .Where(one => one.Value.GetProperty("type").GetString() is not "Project")
            .Select(one => (one.Name, one.Value.GetProperty("resolved").GetString()!))];
    }

    private static Package Read((string Name, string Version) id, bool isInService)
    {
        var (name, version) = (id.Name.ToLowerInvariant(), id.Version.ToLowerInvariant());
        var file = PackageFolders().Select(folder => Path.Combine(folder, name, version, $"{name}.nuspec")).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"{id.Name} {id.Version} is in a lock file, but was not restored.");
        var metadata = XDocument.Load(file).Root!.Elements().Single(element => element.Name.LocalName is "metadata");
        var licence = metadata.Elements().FirstOrDefault(element => element.Name.LocalName is "license" && element.Attribute("type")?.Value is "expression");
        var copyright = ValueOf(metadata, "copyright") ?? ValueOf(metadata, "authors") ?? "";
        return new Package(id.Name, id.Version, licence?.Value ?? "not declared as an expression", string.Join(' ', copyright.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)), isInService);
    }

    private static string? ValueOf(XElement metadata, string name) =>
        metadata.Elements().FirstOrDefault(element => element.Name.LocalName == name)?.Value is { Length: > 0 } value ? value.Replace("|", "\\|", StringComparison.Ordinal) : null;

    /// <summary>Returns the folders that the last restore used.</summary>
    private static IEnumerable<string> PackageFolders()
    {
        using var assets = JsonDocument.Parse(Repository.Read("tests/LumaGateway.Tests/obj/project.assets.json"));
        return [.. assets.RootElement.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name)];
    }

    private sealed record Package(string Name, string Version, string Licence, string Copyright, bool IsInService);
}
