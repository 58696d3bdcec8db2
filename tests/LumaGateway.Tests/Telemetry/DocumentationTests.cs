using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Compares <c>docs/observability.md</c> with the code. A failure shows the expected table.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Document = File.ReadAllText("observability.md");

    [Fact]
    public void The_page_lists_the_metrics_of_a_running_gateway()
    {
        using var gateway = new Gateway();

        AssertContains("metrics", ObservabilityDocument.MetricsOf(gateway.Services.GetRequiredService<IMeterFactory>()));
    }

    [Fact]
    public void The_page_lists_the_log_events_of_the_code_and_says_what_to_do()
    {
        var rows = LogEvent().Matches(Document).ToDictionary(match => match.Groups["event"].Value, match => match.Groups["action"].Value);

        Assert.Equal(ObservabilityDocument.Logs(), rows.Keys);
        Assert.All(rows, row => Assert.True(row.Value.Length > 10, $"{row.Key} does not say what to do."));
    }

    [Fact]
    public void The_page_explains_every_attribute()
    {
        var used = Sources()
            .SelectMany(text => Name().Matches(text).Select(match => match.Groups[1].Value))
            .ToHashSet();

        Assert.Contains("luma_gateway.cache.status", used);
        Assert.DoesNotContain(used, name => !Document.Contains($"| `{name}` |", StringComparison.Ordinal));
    }

    [Fact]
    public void The_page_explains_every_span()
    {
        var spans = Sources()
            .SelectMany(text => Span().Matches(text).Select(match => match.Groups[1].Value)
                .Concat(RedisSpan().Matches(text).Select(match => $"redis {match.Groups[1].Value}")))
            .ToHashSet();

        Assert.True(spans.IsSupersetOf(["cache", "fetch", "attempt", "redis purge"]), string.Join(", ", spans));
        Assert.All(spans, span => Assert.Matches($@"\n\| .*`{span}`.* \| (internal|client) \|", Document));
    }

    private static void AssertContains(string name, string table) =>
        Assert.True(Document.Contains(table, StringComparison.Ordinal), $"The table of {name} in docs/observability.md should be:\n{table}");

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/LumaGateway"), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
        .Select(File.ReadAllText);

    [GeneratedRegex(@"^(?<event>\| [0-9]{4} \| .+? \| .+? \|)(?<action>.*)$", RegexOptions.Multiline)]
    private static partial Regex LogEvent();

    [GeneratedRegex("\"(luma_gateway\\.[a-z_.]+)\"")]
    private static partial Regex Name();

    [GeneratedRegex("const string Span = \"([a-z]+)\"")]
    private static partial Regex Span();

    [GeneratedRegex("RedisSpan\\.Start\\(\"([a-z]+)\"")]
    private static partial Regex RedisSpan();
}
