using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Time;

namespace LumaGateway.Polling;

/// <summary>Sends changed states and hints of this replica to the others, and applies those that the others send.</summary>
internal sealed class ChangeBroadcast(
    ChangeMessages messages, PollTargets targets, ResponseCache cache, RecentPurges recentPurges, GenerationReader reader, TimeProvider clock) : IHostedService
{
    /// <summary>The most hints a second, and at once, that are sent for ids without waiters here. A flood of callbacks must not become a flood of messages.</summary>
    private const int MaxForwardedHints = 100;

    private readonly TokenBucket _forwardedHints = new(clock);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        cache.EntryRead += targets.Update;
        reader.ProxiedStored += targets.Update;
        cache.Purged += targets.Purge;
        targets.StateChanged += snapshot => Publish(snapshot.Entry);
        messages.Received += OnReceived;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns at once and does not throw.</summary>
    public void Publish(CacheEntry entry) => _ = messages.PublishAsync(entry);

    /// <summary>
    /// Takes a callback as a hint that a generation changed, and sends it to the other replicas. True if this replica polls the generation soon. A hint
    /// that is refused because of <c>Waiting:PollFloor</c> or <see cref="MaxForwardedHints"/> is not sent.
    /// </summary>
    public bool TryHint(GenerationId id)
    {
        var isAccepted = targets.TryHint(id);
        if (isAccepted || (targets.Find(id) is null && _forwardedHints.TryTake(MaxForwardedHints, MaxForwardedHints, out _)))
        {
            _ = messages.PublishHintAsync(id); // does not throw
        }

        return isAccepted;
    }

    private void OnReceived(GenerationId id, CacheEntry? entry)
    {
        if (entry is null)
        {
            targets.TryHint(id);
        }
        else if (targets.Find(id) is { Snapshot: not { Summary.IsFinal: true } })
        {
            _ = ApplyAsync(entry);
        }
    }

    /// <summary>
    /// Stores a final entry before its waiters get it: their next read must find it here, also without Redis and upstream. Drops an entry that may be
    /// from before a purge, because Redis may not be there to refuse it, and one that is older than an entry of this replica. Does not throw.
    /// </summary>
    private async Task ApplyAsync(CacheEntry entry)
    {
        var purges = cache.Purges; // first: a purge that is not among the recent ones yet is counted later
        if (recentPurges.MayBeFromBefore(entry))
        {
            return;
        }

        if (entry.Kind is not EntryKind.Final)
        {
            if (cache.TryRemoveOlder(entry))
            {
                targets.UpdateFromReplica(entry);
            }
        }
        else if (await cache.PutAsync(entry, purges) is { } stored)
        {
            targets.UpdateFromReplica(stored);
        }
    }
}
