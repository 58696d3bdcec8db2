namespace LumaGateway.Hosting;

/// <summary>
/// Gives the memory back that starting took, once, when the gateway listens. Reading the settings and setting up telemetry leave more behind than the
/// gateway will use for long, and the collector alone would not look for it before that much has been allocated again.
/// </summary>
internal sealed class StartMemory : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
