using System.Globalization;
using LumaGateway.Sharing;
using LumaGateway.Upstreams;

namespace LumaGateway.Features.Generations;

/// <summary>Tells all replicas when the upstream asks one of them to be left alone.</summary>
internal sealed class PauseBroadcast(UpstreamPause pause, FleetChannel fleet) : IHostedService
{
    private const string Topic = "pause";

    /// <summary>What is longer was not said by a gateway.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        pause.Opened += Say;
        fleet.Listen(Topic, Hear);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        pause.Opened -= Say;
        return Task.CompletedTask;
    }

    private void Say(TimeSpan length) =>
        _ = fleet.SayAsync(Topic, ((long)length.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)); // it never throws

    private void Hear(string[] words)
    {
        if (words is [var text] && long.TryParse(text, out var milliseconds) && milliseconds > 0 && milliseconds < Longest.TotalMilliseconds)
        {
            pause.Extend(TimeSpan.FromMilliseconds(milliseconds));
        }
    }
}
