extern alias client;

using System.Reflection;
using System.Text.RegularExpressions;
using LumaGateway.Configuration;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Architecture;

/// <summary>Files, headings and types in pages must exist. Pages about the past (the changelog, the log and results of the bench) are not checked.</summary>
public sealed partial class PageReferencesTests
{
    /// <summary>Words in backticks that are not types of the gateway: names of .NET, HTTP, browsers, MSBuild and YARP.</summary>
    private static readonly HashSet<string> ExternalNames =
        ["ArgumentException", "EventSource", "HttpClient", "LumaGateway", "PathRemovePrefix", "PublishAot", "RateLimit", "ReverseProxy", "RuntimeFrameworkVersion", "TimeProvider"];

    private const BindingFlags AllMembers = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly ILookup<string, Type> Types = typeof(Generation).Assembly.GetTypes()
        .Concat(typeof(client::LumaGateway.Client.LumaGatewayClient).Assembly.GetTypes())
        .Concat(typeof(PageReferencesTests).Assembly.GetTypes())
        .ToLookup(type => type.Name.Split('`')[0], StringComparer.Ordinal);

    /// <summary>The client's README names methods and properties without their type.</summary>
    private static readonly HashSet<string> ClientMembers =
        [.. typeof(client::LumaGateway.Client.LumaGatewayClient).Assembly.GetExportedTypes().SelectMany(type => type.GetMembers()).Select(member => member.Name)];

    private static readonly HashSet<string> Rooms =
        [.. typeof(Generation).Assembly.GetTypes().SelectMany(type => type.Namespace?.Split('.') ?? [])];

    private static readonly HashSet<string> AlertNames =
        [.. Alert().Matches(Repository.Read("infra/prometheus/alerts.yml")).Select(match => match.Groups["name"].Value)];

    private static readonly HashSet<string> SettingNames = [.. KnownSettings.Kinds.Keys.SelectMany(key => key.Split(':'))];

    public static TheoryData<string> Pages => [.. new[] { "docs", "infra", "bench", "src" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.md", SearchOption.AllDirectories))
        .Concat(Directory.EnumerateFiles(Repository.Root, "*.md"))
        .Select(file => Path.GetRelativePath(Repository.Root, file))
        .Where(page => page is not ("CHANGELOG.md" or "bench/LOG.md" or "bench/RESULTS.md") && !page.Contains("/obj/", StringComparison.Ordinal) && !page.Contains("/bin/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_in_a_page_has_an_existing_target(string page) => Assert.Empty(BrokenLinks(page, Repository.Read(page)));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_path_in_a_page_exists(string page) => Assert.Empty(MissingPaths(page, Repository.Read(page)));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_type_in_a_page_exists(string page) => Assert.Empty(UnknownTypes(Repository.Read(page)));

    [Theory]
    [InlineData("`ResponseCacheOfOld`", "ResponseCacheOfOld")]
    [InlineData("[Waitress](../src/LumaGateway/Polling/Waiter.cs)", "Waitress")]
    [InlineData("`IUpstreamDialect.SignsNothing`", "IUpstreamDialect.SignsNothing")]
    [InlineData("`SingleFlight<T>`, `Generation`, `IUpstreamDialect.SignsUrls`, `PollEvery`, `Content-Type`", null)]
    public void A_missing_type_is_found(string text, string? unknown) => Assert.Equal(unknown, UnknownTypes(text).SingleOrDefault());

    [Theory]
    [InlineData("see `src/LumaGateway/Gone.cs`.", "src/LumaGateway/Gone.cs")]
    [InlineData("`Caching/Gone.cs`", "Caching/Gone.cs")]
    [InlineData("`Sharing/`", "Sharing/")]
    [InlineData("`src/LumaGateway/Program.cs`, `Caching/MemoryTier.cs`, `Wire/`, `docs/scaling/*.csv`, `tests/LumaGateway.Tests/fixtures/<name>/<case>.json`, `/v1.json`, `video/*`", null)]
    public void A_missing_path_is_found(string text, string? missing) =>
        Assert.Equal(missing, MissingPaths("src/LumaGateway/Upstreams/page.md", text).SingleOrDefault());

    [Theory]
    [InlineData("[x](gone.md)", "gone.md")]
    [InlineData("[x](docs/architecture.md#gone)", "docs/architecture.md#gone")]
    [InlineData("[x](docs/architecture.md#a-purge-during-a-fetch) [y](https://example.com/gone.md)", null)]
    public void A_broken_link_is_found(string text, string? broken) => Assert.Equal(broken, BrokenLinks("README.md", text).SingleOrDefault());

    private static IEnumerable<string> BrokenLinks(string page, string text) => Link().Matches(WithoutBlocks(text))
        .Select(match => match.Groups["target"].Value)
        .Where(target => !target.Contains("://", StringComparison.Ordinal))
        .Where(target => !TargetExists(page, target));

    private static bool TargetExists(string page, string target)
    {
        var (path, anchor) = target.Split('#') is [var before, var after] ? (before, after) : (target, null);
        var file = path.Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, path);
        return Exists("", file) && (anchor is null || !file.EndsWith(".md", StringComparison.Ordinal) || AnchorsOf(Repository.Read(file)).Contains(anchor));
    }

    /// <summary>Returns the anchors in the format of GitHub: lower case, without punctuation, a hyphen for each space.</summary>
    private static IEnumerable<string> AnchorsOf(string text) => Heading().Matches(WithoutBlocks(text))
        .Select(match => NoAnchorCharacter().Replace(match.Groups["title"].Value.ToLowerInvariant(), "").Replace(' ', '-'));

    private static IEnumerable<string> MissingPaths(string page, string text)
    {
        string[] folders = ["", Path.GetDirectoryName(page)!, "src/LumaGateway"];
        var named = Quoted().Matches(WithoutBlocks(text)).Select(match => match.Groups["text"].Value).Where(word => FilePath().IsMatch(word));
        return RootedPath().Matches(text).Select(match => match.Value.TrimEnd('.')).Concat(named).Distinct()
            .Where(path => !folders.Any(folder => Exists(folder, path)));
    }

    /// <summary>A part such as <c>&lt;name&gt;</c> or <c>*</c> matches any name.</summary>
    private static bool Exists(string folder, string path)
    {
        var found = new List<string> { Path.GetFullPath(Path.Combine(Repository.Root, folder)) };
        foreach (var part in Path.TrimEndingDirectorySeparator(path).Split('/'))
        {
            var pattern = Placeholder().Replace(part, "*");
            found = pattern is ".." or "." || !pattern.Contains('*', StringComparison.Ordinal)
                ? [.. found.Select(one => Path.GetFullPath(Path.Combine(one, pattern))).Where(Path.Exists)]
                : [.. found.Where(Directory.Exists).SelectMany(one => Directory.EnumerateFileSystemEntries(one, pattern))];
        }

        return found.Count > 0;
    }

    private static IEnumerable<string> UnknownTypes(string text)
    {
        var plain = WithoutBlocks(text);
        var quoted = Quoted().Matches(plain).Select(match => TypeArguments().Replace(match.Groups["text"].Value, ""));
        var linked = Link().Matches(plain).Where(match => match.Groups["target"].Value.EndsWith(".cs", StringComparison.Ordinal)).Select(match => match.Groups["text"].Value.Trim('`'));
        return quoted.Where(word => TypeName().IsMatch(word) && !IsKnown(word))
            .Concat(linked.Where(word => Identifier().IsMatch(word) && !Types.Contains(word)))
            .Concat(quoted.Where(word => Member().Match(word) is { Success: true } member && !HasMember(member)))
            .Distinct();
    }

    private static bool IsKnown(string word) => Types.Contains(word) || Rooms.Contains(word) || SettingNames.Contains(word) || AlertNames.Contains(word) || ClientMembers.Contains(word) || ExternalNames.Contains(word);

    private static bool HasMember(Match member)
    {
        var types = Types[member.Groups["type"].Value].ToList();
        return types.Count == 0 || types.Any(type => type.GetMember(member.Groups["name"].Value, AllMembers).Length > 0);
    }

    private static string WithoutBlocks(string text) => Block().Replace(text, "");

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\[(?<text>[^\]]*)\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (?<title>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchorCharacter();

    [GeneratedRegex("`(?<text>[^`\n]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"(?<![\w/.<-])(src|tests|docs|infra|bench|\.ci)/[\w./<>*-]*")]
    private static partial Regex RootedPath();

    [GeneratedRegex(@"^(?!/)[\w./<>*-]*([A-Za-z]/|[\w>]\.(cs|md|yaml|yml|conf|cfg|json|csv|props|csproj|sln|txt|lua))$")]
    private static partial Regex FilePath();

    [GeneratedRegex(@"- alert: (?<name>\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex("<[a-z]+>")]
    private static partial Regex Placeholder();

    [GeneratedRegex("<[A-Za-z, ]+>$")]
    private static partial Regex TypeArguments();

    [GeneratedRegex("^[A-Z][a-z0-9]+([A-Z][a-z0-9]*)+$|^I[A-Z][a-z]+[A-Za-z]*$")]
    private static partial Regex TypeName();

    [GeneratedRegex("^[A-Z][A-Za-z0-9]+$")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"^(?<type>[A-Z][A-Za-z0-9]+)\.(?<name>[A-Z][A-Za-z0-9]+)$")]
    private static partial Regex Member();
}
