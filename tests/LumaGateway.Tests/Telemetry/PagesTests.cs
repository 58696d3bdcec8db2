using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using LumaGateway.Configuration;
using LumaGateway.Contracts;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Every metric, setting and log event in a page exists in the code.</summary>
public sealed partial class PagesTests
{
    private static readonly string Root = Repository.Root;

    /// <summary>The names of the previous release that the page about upgrades must list, and no other page.</summary>
    private static readonly string[] Removed =
    [
        "Assets:Silence", "Batch:Parallel", "Cache:CoverAfter", "Cache:CoverRetry", "Freshness:UnfinishedMax", "Freshness:UnfinishedMin",
        "Luma:MaxDepth", "Passthrough:MaxRequestBytes", "Server:MaxStreamsPerConnection", "Waiting:LeaseLifetime",
        "luma_gateway.cache.answers", "luma_gateway.cache.level", "luma_gateway.redis.silence", "luma_gateway.waiting.takeovers",
        "luma_gateway.waiting.turned_away", "luma_gateway.waiting.watched",
    ];

    public static TheoryData<string> Pages => new(
        new[] { "docs", "infra" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.md", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Root, "*.md"))
            .Select(file => Path.GetRelativePath(Root, file))
            .Where(page => page is not "CHANGELOG.md"));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_metric_in_a_page_exists(string page)
    {
        using var gateway = new Gateway();
        var known = InstrumentsOf(gateway.Services.GetRequiredService<IMeterFactory>()).Concat(Attributes()).Select(Underscored).ToHashSet(StringComparer.Ordinal);

        var unknown = Metric().Matches(File.ReadAllText(Path.Combine(Root, page)))
            .Select(match => match.Value)
            .Where(name => name[^1] is '.' or '_'
                ? !known.Any(one => one.StartsWith(Underscored(name), StringComparison.Ordinal))
                : !known.Contains(WithoutSuffix(Underscored(name))));

        Assert.Equal(RemovedIn(page, '.'), unknown.Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_setting_in_a_page_exists(string page)
    {
        var text = File.ReadAllText(Path.Combine(Root, page));

        var unknown = Setting().Matches(text).Select(match => (match.Value, Pattern: match.Value.TrimEnd(':', '…')))
            .Concat(Variable().Matches(text).Select(match => (match.Value, Pattern: match.Value.Replace("__", ":", StringComparison.Ordinal))))
            .Select(found => (found.Value, Pattern: Index().Replace(found.Pattern, ":#")))
            .Where(found => KnownSettings.Sections.Contains(found.Pattern.Split(':')[0]))
            .Where(found => !KnownSettings.Kinds.Keys.Any(key => key == found.Pattern || key == $"{found.Pattern}:#"
                || key.StartsWith(found.Value.EndsWith('…') ? found.Pattern : $"{found.Pattern}:", StringComparison.Ordinal)))
            .Select(found => found.Value);

        Assert.Equal(RemovedIn(page, ':'), unknown.Distinct().Order());
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_log_event_in_a_page_exists(string page)
    {
        var known = typeof(Generation).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Public))
            .SelectMany(method => method.GetCustomAttributes(typeof(LoggerMessageAttribute), inherit: false).Cast<LoggerMessageAttribute>())
            .Select(log => $"{log.EventId}")
            .ToHashSet(StringComparer.Ordinal);

        Assert.All(Event().Matches(File.ReadAllText(Path.Combine(Root, page))), match => Assert.Contains(match.Groups["id"].Value, known));
    }

    [Fact]
    public void Every_Redis_key_in_the_code_is_documented()
    {
        var page = File.ReadAllText(Path.Combine(Root, "infra/redis.md"));
        var sources = Directory.EnumerateFiles(Path.Combine(Root, "src/LumaGateway"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(File.ReadAllText)
            .ToList();
        var parts = sources.SelectMany(text => KeyPart().Matches(text)).Select(match => $":{{<id>}}:{match.Groups[1].Value}`").ToList();
        var intervalLocks = sources.SelectMany(text => IntervalLocks().Matches(text)).Select(match => $"`…:{match.Groups[1].Value}`").ToList();
        var others = sources.SelectMany(text => OtherKey().Matches(text)).Select(match => match.Groups[1].Value).ToList();

        Assert.True(parts.Count >= 4 && intervalLocks.Count >= 1 && others.Count >= 1, "The search found too few keys in the code.");
        Assert.All([.. parts, .. intervalLocks, .. others], name => Assert.Contains(name, page, StringComparison.Ordinal));
    }

    [Fact]
    public void The_documented_Redis_user_can_run_every_command_of_the_scripts()
    {
        var page = File.ReadAllText(Path.Combine(Root, "infra/redis.md"));
        var commands = Directory.EnumerateFiles(Path.Combine(Root, "src/LumaGateway"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => ScriptCommand().Matches(File.ReadAllText(file)))
            .Select(match => $"+{match.Groups[1].Value.ToLowerInvariant()}")
            .ToHashSet(StringComparer.Ordinal);

        var allowed = UserCommand().Matches(page).SelectMany(match => match.Value.Split(' '));

        Assert.True(commands.Count > 5, "The search found too few commands in the code.");
        Assert.Empty(commands.Except(allowed));
    }

    [Theory]
    [InlineData("`luma_gateway.cache.redis` is 1", "luma_gateway.cache.redis")]
    [InlineData("`luma_gateway_waiting_lag_seconds_bucket`", "luma_gateway_waiting_lag_seconds_bucket")]
    public void A_metric_is_found_in_a_page(string text, string name) => Assert.Equal(name, Metric().Match(text).Value);

    private static string Underscored(string name) => name.Replace('.', '_');

    private static string WithoutSuffix(string name) => Suffix().Replace(name, "");

    private static List<string> InstrumentsOf(IMeterFactory factory)
    {
        var names = new List<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory) && instrument.Meter.Name == "LumaGateway")
            {
                names.Add(instrument.Name);
            }
        };
        listener.Start();
        return names;
    }

    private static IEnumerable<string> Attributes() => Directory.EnumerateFiles(Path.Combine(Root, "src/LumaGateway"), "*.cs", SearchOption.AllDirectories)
        .SelectMany(file => Name().Matches(File.ReadAllText(file)))
        .Select(match => match.Groups[1].Value);

    private static IEnumerable<string> RemovedIn(string page, char separator) =>
        page is "docs/upgrading.md" ? Removed.Where(name => name.Contains(separator, StringComparison.Ordinal)).Order() : [];

    [GeneratedRegex("luma_gateway[._][a-z_.]+")]
    private static partial Regex Metric();

    [GeneratedRegex("(_total|_seconds)?(_bucket|_count|_sum)?$")]
    private static partial Regex Suffix();

    [GeneratedRegex("(?<![A-Za-z:])[A-Z][A-Za-z]+(:([A-Za-z0-9]+|<[a-z]>|#))+:?…?")]
    private static partial Regex Setting();

    [GeneratedRegex("(?<![A-Za-z_])[A-Z][A-Za-z]+(__[A-Za-z0-9]+)+")]
    private static partial Regex Variable();

    [GeneratedRegex(":(<[a-z]>|[0-9]+)(?=:|$)")]
    private static partial Regex Index();

    [GeneratedRegex(@"\bevent (?<id>[1-4]\d{3})\b")]
    private static partial Regex Event();

    [GeneratedRegex("\"(luma_gateway\\.[a-z_.]+)\"")]
    private static partial Regex Name();

    [GeneratedRegex("NameOf\\([A-Za-z.]+, \"([a-z]+)\"\\)")]
    private static partial Regex KeyPart();

    [GeneratedRegex("const string LockName = \"([a-z]+)\"")]
    private static partial Regex IntervalLocks();

    [GeneratedRegex(@"redis\.p?call\('([A-Z]+)'")]
    private static partial Regex ScriptCommand();

    [GeneratedRegex("^ACL SETUSER .+$", RegexOptions.Multiline)]
    private static partial Regex UserCommand();

    [GeneratedRegex("\\$\"(luma-gateway:[a-z]+:)")]
    private static partial Regex OtherKey();
}
