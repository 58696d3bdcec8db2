namespace LumaGateway.Telemetry;

/// <summary>Initializes all counters. Register it after the metrics exporters: hosted services start in the order of their registration.</summary>
internal sealed class MetricsInitializer(IEnumerable<IGatewayMetrics> metrics) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var instance in metrics)
        {
            instance.Initialize();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
