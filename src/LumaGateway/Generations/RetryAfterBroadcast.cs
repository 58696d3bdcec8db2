using System.Globalization;
using LumaGateway.Redis;
using LumaGateway.Upstreams;

namespace LumaGateway.Generations;

/// <summary>
/// Sends an upstream's <c>Retry-After</c> to all replicas. A message without an account is about the first one: that is the message of a gateway with one account, also of an
/// earlier version.
/// </summary>
internal sealed class RetryAfterBroadcast(UpstreamAccounts accounts, ReplicaBus bus) : IHostedService
{
    private const string Topic = "pause";

    private readonly List<Action> _unsubscribe = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var account in accounts.All)
        {
            void Publish(TimeSpan duration) => PublishHold(account, duration);
            account.Hold.Started += Publish;
            _unsubscribe.Add(() => account.Hold.Started -= Publish);
        }

        bus.Subscribe(Topic, OnMessage);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        _unsubscribe.ForEach(static unsubscribe => unsubscribe());
        return Task.CompletedTask;
    }

    private void PublishHold(UpstreamAccount account, TimeSpan duration)
    {
        var milliseconds = ((long)duration.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        _ = bus.PublishAsync(Topic, account == accounts.First ? [milliseconds] : [milliseconds, account.Name]); // does not throw
    }

    /// <summary>Limits the duration to what an upstream response can cause.</summary>
    private bool OnMessage(string[] words)
    {
        if (words.Length is not (1 or 2) || !long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
        {
            return false;
        }

        if ((words.Length == 1 ? accounts.First : accounts.Find(words[1])) is not { } account)
        {
            return false; // from a replica with other accounts
        }

        account.Hold.Extend(TimeSpan.FromMilliseconds(Math.Min(milliseconds, (long)RetryAfterHold.MaxDuration.TotalMilliseconds)));
        return true;
    }
}
