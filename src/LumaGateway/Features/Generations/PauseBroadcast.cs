using LumaGateway.Caching;
using LumaGateway.Upstreams;

namespace LumaGateway.Features.Generations;

/// <summary>Tells all replicas when the upstream asks one of them to be left alone.</summary>
internal sealed class PauseBroadcast(UpstreamPause pause, FleetChannel fleet) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        pause.Opened += Say;
        fleet.Paused += Hear;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        pause.Opened -= Say;
        fleet.Paused -= Hear;
        return Task.CompletedTask;
    }

    private void Say(TimeSpan length) => _ = fleet.SayPausedAsync(length); // it never throws

    private void Hear(TimeSpan length) => pause.Extend(length);
}
