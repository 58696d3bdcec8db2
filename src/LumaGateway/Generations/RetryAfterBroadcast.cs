using System.Globalization;
using LumaGateway.Redis;
using LumaGateway.Upstreams;

namespace LumaGateway.Generations;

/// <summary>Sends an upstream's <c>Retry-After</c> to all replicas.</summary>
internal sealed class RetryAfterBroadcast(RetryAfterHold hold, ReplicaBus bus) : IHostedService
{
    private const string Topic = "pause";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        hold.Started += Publish;
        bus.Subscribe(Topic, OnMessage);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        hold.Started -= Publish;
        return Task.CompletedTask;
    }

    private void Publish(TimeSpan duration) =>
        _ = bus.PublishAsync(Topic, ((long)duration.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)); // does not throw

    /// <summary>Limits the duration to what an upstream response can cause.</summary>
    private bool OnMessage(string[] words)
    {
        if (words is not [var text] || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
        {
            return false;
        }

        hold.Extend(TimeSpan.FromMilliseconds(Math.Min(milliseconds, (long)RetryAfterHold.MaxDuration.TotalMilliseconds)));
        return true;
    }
}
