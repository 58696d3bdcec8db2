namespace LumaGateway.Telemetry;

/// <summary>Begins every series once those who collect them listen: hosted services start in the order of their registration.</summary>
internal sealed class SeriesStart(IEnumerable<ISeries> metrics) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var one in metrics)
        {
            one.Begin();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
