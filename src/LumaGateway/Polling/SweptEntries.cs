using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Redis;
using LumaGateway.Upstreams;

namespace LumaGateway.Polling;

/// <summary>Stores the generations of list pages in the cache, for this replica and the others, and reads those that another replica stored.</summary>
internal sealed class SweptEntries(
    GenerationReader reader, ResponseCache cache, PollTargets targets, PollSchedule schedule, ChangeBroadcast changes, RedisConnection redis, WaitingMetrics metrics)
{
    private const int MaxParallel = 32;

    /// <summary>To be called before the request of a page whose generations are passed to <see cref="StoreAsync"/>.</summary>
    public FetchStart StartPage()
    {
        metrics.Polled(PollKind.List);
        return reader.StartFetch();
    }

    /// <summary>
    /// Stores the generations of a page. Those without a target here may have waiters on another replica. Terminal generations come first: they end waits.
    /// </summary>
    public Task StoreAsync(IEnumerable<(DialectResult Result, PollTarget? Target)> page, UpstreamAccount account, FetchStart start) => ForEachAsync(
        page.Where(one => one.Target is not null || redis.IsConfigured).OrderByDescending(one => one.Target is not null).ThenByDescending(one => one.Result.Generation.IsFinal),
        async one =>
        {
            if (one.Target is { } target)
            {
                if (await reader.StoreListedAsync(target.Key, one.Result, account, start) is { } entry)
                {
                    targets.Update(entry);
                    target.MissedSweeps = 0;
                }
                else if (cache.Purges == start.Purges)
                {
                    target.IsUnlisted = true; // its key has an invalidation token from before the request: a list is not stored, but a fetch is
                }
                else
                {
                    target.MissedSweeps++; // a purge of any key arrived meanwhile
                }
            }
            else if (GenerationId.TryParse(one.Result.Generation.Id, null, out var id) && !cache.HasFreshFinal(id)
                && await reader.StoreListedAsync(id, one.Result, account, start) is { Kind: EntryKind.Final } final)
            {
                changes.Publish(final);
            }
        });

    /// <summary>Updates targets from the entries that another replica stored.</summary>
    public Task ReadAsync(IEnumerable<PollTarget> due) => ForEachAsync(due, async target =>
    {
        var known = target.Snapshot?.Entry.RequestedAt ?? DateTimeOffset.MinValue;
        if (await cache.FindAsync(target.Key, schedule.SweptNotBefore) is { } entry && (entry.Kind is EntryKind.Final || entry.RequestedAt > known))
        {
            metrics.Polled(PollKind.Cached);
            targets.Update(entry);
            target.MissedSweeps = 0;
        }
        else
        {
            target.MissedSweeps++;
        }
    });

    private static Task ForEachAsync<T>(IEnumerable<T> items, Func<T, Task> action) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = MaxParallel }, async (item, _) => await action(item));
}
