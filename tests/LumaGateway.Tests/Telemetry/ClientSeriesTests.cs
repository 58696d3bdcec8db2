using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Telemetry;

/// <summary>The series of many clients. Runs alone, because a scrape contains the series of all gateways of the process. Uses real ports.</summary>
[Collection(RunsAlone.Name)]
public sealed class ClientSeriesTests : IDisposable
{
    private const int Clients = 700;

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_metrics_have_every_client()
    {
        for (var number = 0; number < Clients; number++)
        {
            _gateway.With($"Access:Clients:{number}:Name", $"client-{number}").With($"Access:Clients:{number}:KeySha256", Gateway.Digest($"key-{number}"));
        }

        var (_, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();

        using var metrics = await client.SendGetAsync($"{management}metrics");

        var lines = (await metrics.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split('\n');
        Assert.DoesNotContain(lines, line => line.Contains("otel_metric_overflow", StringComparison.Ordinal));
        Assert.All(Enumerable.Range(0, Clients), number =>
        {
            Assert.Equal(3, Count("luma_gateway_access_refused_total{", number));
            Assert.Equal(1, Count("luma_gateway_access_admitted_total{", number));
        });

        int Count(string metric, int number) => lines.Count(line => line.StartsWith(metric, StringComparison.Ordinal) && line.Contains($"\"client-{number}\"", StringComparison.Ordinal));
    }
}
