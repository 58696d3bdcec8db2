using LumaGateway.Problems;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Telemetry;

/// <summary>The series of many accounts. Runs alone, because a scrape contains the series of all gateways of the process. Uses real ports.</summary>
[Collection(RunsAlone.Name)]
public sealed class AccountSeriesTests : IDisposable
{
    private const int Accounts = 20;

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_metrics_have_every_fault_of_every_account()
    {
        _gateway.WithAccounts([.. Enumerable.Range(0, Accounts).Select(number => TestAccounts.Named($"account-{number}"))]);
        var (_, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();

        using var metrics = await client.SendGetAsync($"{management}metrics");

        var text = await metrics.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var faults = text.Split('\n').Where(line => line.StartsWith("luma_gateway_upstream_faults_total{", StringComparison.Ordinal)).ToList();
        Assert.DoesNotContain("otel_metric_overflow", text, StringComparison.Ordinal);
        Assert.All(Enumerable.Range(0, Accounts), number => Assert.Equal(
            Enum.GetValues<UpstreamFault>().Length, faults.Count(line => line.Contains($"\"account-{number}\"", StringComparison.Ordinal))));
    }
}
