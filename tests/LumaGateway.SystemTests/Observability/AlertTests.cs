using System.Text.RegularExpressions;

namespace LumaGateway.SystemTests.Observability;

/// <summary>The alert rules and their sections in the runbook. Needs promtool, a part of Prometheus. Slow: it evaluates days of samples.</summary>
public sealed partial class AlertTests
{
    private const string Promtool = "promtool";

    [Theory]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts.test.yml")]
    public async Task Promtool_accepts_the_rules_and_their_tests(params string[] arguments)
    {
        Tool.Require(Promtool);
        await using var promtool = ChildProcess.Start(Promtool, arguments, directory: Path.Combine(Repository.Root, "infra/prometheus"));

        Assert.True(await promtool.WaitForExitAsync(TimeSpan.FromMinutes(10)) == 0, promtool.Everything);
    }

    [Fact]
    public async Task Every_alert_has_a_test_and_a_runbook_section_and_every_section_has_an_alert()
    {
        var rules = await ReadAsync("infra/prometheus/alerts.yml");
        var tests = await ReadAsync("infra/prometheus/alerts.test.yml");
        var runbook = await ReadAsync("infra/RUNBOOK.md");

        var alerts = Alert().Matches(rules).Select(match => match.Groups[1].Value).ToList();
        var anchors = Anchor().Matches(rules).Select(match => match.Groups[1].Value).ToList();
        var sections = Section().Matches(runbook).Select(match => match.Groups[1].Value.ToLowerInvariant().Replace(' ', '-')).ToHashSet();

        Assert.True(alerts.Count > 10);
        Assert.Equal(alerts.Count, anchors.Count);
        Assert.All(alerts, alert => Assert.Matches($@"alertname: {alert}\n\s+exp_alerts:\n", tests)); // at least one test in which it fires
        Assert.True(sections.SetEquals(anchors), string.Join(", ", sections.Except(anchors).Concat(anchors.Except(sections))));
        Assert.All(alerts.Zip(anchors), alert => Assert.Contains($"`{alert.First}`", SectionOf(runbook, alert.Second), StringComparison.Ordinal));
    }

    private static string SectionOf(string runbook, string anchor) =>
        runbook.Split("\n## ").Single(section => section.Split('\n')[0].ToLowerInvariant().Replace(' ', '-') == anchor);

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Path.Combine(Repository.Root, path), TestContext.Current.CancellationToken);

    [GeneratedRegex(@"- alert: (\w+)")]
    private static partial Regex Alert();

    [GeneratedRegex(@"runbook_url: infra/RUNBOOK\.md#([a-z-]+)")]
    private static partial Regex Anchor();

    [GeneratedRegex("^## (.+)$", RegexOptions.Multiline)]
    private static partial Regex Section();
}
