namespace LumaGateway.SystemTests.Observability;

/// <summary>
/// The rules and the dashboard in Prometheus, which scrapes a running gateway. Needs prometheus, and redis-server or Garnet. Slow: a rate needs several scrapes, one
/// per second.
/// </summary>
public sealed class PrometheusTests
{
    [Fact]
    public async Task Every_series_and_label_of_rules_and_dashboard_exists_and_a_refused_token_fires_an_alert()
    {
        Tool.Require(PrometheusServer.Program);
        await using var gateway = await MonitoredGateway.StartAsync();
        await using var prometheus = await PrometheusServer.StartAsync(gateway.Port);
        await gateway.GenerateTrafficAsync();
        await prometheus.HasAsync("""http_server_request_duration_seconds_count{http_response_status_code="502"}""");
        await gateway.GenerateTrafficAsync(); // again after a scrape, so that there is a rate
        await prometheus.HasAsync("luma_gateway:requests_failed:ratio_6h");

        var dashboard = Expressions.OfDashboard(await ReadAsync("infra/grafana/luma-gateway.json"));
        var rules = await RulesAsync(prometheus);
        Assert.True(dashboard.Count > 25 && rules.Count > 15, $"{dashboard.Count} expressions, {rules.Count} rules.");

        var selectors = rules.Concat(dashboard).SelectMany(Expressions.SelectorsIn).Distinct().ToList();
        Assert.NotEmpty(selectors);
        foreach (var selector in selectors)
        {
            await prometheus.HasAsync(selector);
        }

        var labels = (await prometheus.QueryAsync("labels")).EnumerateArray().Select(one => one.GetString()!).ToHashSet();
        labels.Add("namespace"); // service discovery in Kubernetes adds it; the static configuration of this test has none
        Assert.All(rules.Concat(dashboard).SelectMany(Expressions.GroupsIn).Distinct(), label => Assert.Contains(label, labels));
        foreach (var expression in dashboard)
        {
            await prometheus.CountAsync(expression); // fails if the expression is invalid
        }

        await gateway.RefuseTokenAsync();
        await prometheus.HasAsync("""ALERTS{alertname="LumaGatewayTokenRefused",alertstate="firing"}""");
    }

    [Fact]
    public void Selectors_do_not_include_functions_groupings_and_labels() => Assert.Equal(
        ["a_total{b=\"c\"}", "d:e", "f"],
        Expressions.SelectorsIn("""sum by (g, h) (rate(a_total{b="c"}[5m])) / on (i) d:e offset 1d > 0 and max(f)"""));

    private static async Task<List<string>> RulesAsync(PrometheusServer prometheus)
    {
        var rules = (await prometheus.QueryAsync("rules")).GetProperty("groups").EnumerateArray()
            .SelectMany(group => group.GetProperty("rules").EnumerateArray())
            .ToList();
        Assert.All(rules, rule => Assert.Equal("ok", rule.GetProperty("health").GetString()));
        return [.. rules.Select(rule => rule.GetProperty("query").GetString()!)];
    }

    private static Task<string> ReadAsync(string path) => File.ReadAllTextAsync(Path.Combine(Repository.Root, path), TestContext.Current.CancellationToken);
}
