using System.Globalization;
using LumaGateway.Redis;
using LumaGateway.Upstreams;

namespace LumaGateway.Generations;

/// <summary>Tells all replicas when the upstream asks one of them to be left alone.</summary>
internal sealed class RetryAfterBroadcast(RetryAfterHold pause, ReplicaBus fleet) : IHostedService
{
    private const string Topic = "pause";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        pause.Started += Say;
        fleet.Listen(Topic, Hear);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        pause.Started -= Say;
        return Task.CompletedTask;
    }

    private void Say(TimeSpan length) =>
        _ = fleet.SayAsync(Topic, ((long)length.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)); // it never throws

    /// <summary>A pause of any length is no longer than one that the upstream itself can ask for.</summary>
    private bool Hear(string[] words)
    {
        if (words is not [var text] || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
        {
            return false;
        }

        pause.Extend(TimeSpan.FromMilliseconds(Math.Min(milliseconds, (long)RetryAfterHold.MaxDuration.TotalMilliseconds)));
        return true;
    }
}
