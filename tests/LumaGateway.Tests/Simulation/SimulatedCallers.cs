using System.Globalization;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Simulation;

/// <summary>What callers and list sweeps do on a replica, and the record of it.</summary>
internal sealed class SimulatedCallers(SimulationScheduler scheduler, SimulatedSource source, PlantedBug bug, List<Violation> violations)
{
    /// <summary>The request id of list sweeps.</summary>
    public const string ListRequest = "list";

    private int _refreshes;

    public List<ReadRecord> Reads { get; } = [];

    public List<PurgeRecord> Purges { get; } = [];

    public async Task ReadAsync(SimulatedReplica replica, int key, TimeSpan? patience = null, bool isLast = false)
    {
        var record = Begin(replica, key, patience, isLast);
        using var caller = patience is { } limit ? new CancellationTokenSource(limit, scheduler) : null;
        var request = $"read {Reads.Count}";
        if (bug is PlantedBug.CallerCancelsFetch && caller is not null)
        {
            source.Callers[request] = caller.Token;
        }

        try
        {
            End(record, await ReadAsync(replica, SimulatedUpstream.KeyOf(key), request, isLast, caller?.Token ?? CancellationToken.None));
        }
        catch (OperationCanceledException) when (caller is { IsCancellationRequested: true })
        {
            Leave(record);
        }
        catch (OperationCanceledException)
        {
            violations.Add(new Violation(Property.ReadsEnd, $"g{key}: the read of step {record.BeginStep} was cancelled, but its caller waits"));
        }
    }

    /// <summary>A long poll. Its plain parts are those of the product's reader, with a request that has no connection.</summary>
    public async Task WaitAsync(SimulatedReplica replica, int key, TimeSpan wait, TimeSpan? patience)
    {
        var (record, id) = (Begin(replica, key, patience, isLast: false, wait), SimulatedUpstream.KeyOf(key));
        using var caller = patience is { } limit ? new CancellationTokenSource(limit, scheduler) : null;
        var context = new DefaultHttpContext { RequestAborted = caller?.Token ?? CancellationToken.None, TraceIdentifier = $"wait {Reads.Count}" };
        context.Request.Headers["Prefer"] = string.Create(CultureInfo.InvariantCulture, $"wait={(int)wait.TotalSeconds}");
        Plant(replica, id, record);
        try
        {
            End(record, await replica.LongPolls.TryRead(id, context)!);
        }
        catch (UpstreamException fault)
        {
            End(record, new CacheResult(null, CacheStatus.Miss, CacheTier.None, fault));
        }
        catch (OperationCanceledException) when (caller is { IsCancellationRequested: true })
        {
            Leave(record);
        }
    }

    public async Task PollAsync(SimulatedReplica replica, int key)
    {
        var record = Begin(replica, key, null, isLast: false);
        End(record, await replica.Cache.RefreshAsync(SimulatedUpstream.KeyOf(key), new FetchRequest($"refresh {_refreshes++}"), scheduler.GetUtcNow() - TimeSpan.FromSeconds(1)));
    }

    public async Task PurgeAsync(SimulatedReplica replica, int key)
    {
        var record = new PurgeRecord(replica.Process, key, scheduler.Step, scheduler.Now);
        Purges.Add(record);
        var id = SimulatedUpstream.KeyOf(key);
        var kept = bug is PlantedBug.PurgeKeepsFetches ? replica.InFlight.GetValueOrDefault(id) : null;
        record.IsConfirmed = await replica.Cache.PurgeAsync(id);
        if (kept is not null)
        {
            kept.IsInvalidated = false;
            replica.InFlight[id] = kept;
        }

        (record.EndStep, record.EndAt) = (scheduler.Step, scheduler.Now);
        scheduler.Write($"{replica.Process.Name} purged g{key}, confirmed: {record.IsConfirmed}");
    }

    /// <summary>What a list sweep does with one entry of its page.</summary>
    public async Task PutListedAsync(SimulatedReplica replica, int key)
    {
        var purges = replica.Cache.Purges;
        using var deadline = new Deadline(SimulatedSettings.Deadline, scheduler);
        try
        {
            var entry = await replica.Source.FetchAsync(SimulatedUpstream.KeyOf(key), ListRequest, deadline);
            if (entry.Kind is not EntryKind.NotFound)
            {
                if (await replica.Cache.PutAsync(entry, bug is PlantedBug.ListedEntryIgnoresPurge ? replica.Cache.Purges : purges) is { } stored)
                {
                    replica.Targets.Update(stored);
                }
            }
        }
        catch (UpstreamException)
        {
            // The sweep is repeated later.
        }
    }

    /// <summary>Half of the reads show the not-found entry, which the reader does not; the others end the waits of other callers.</summary>
    private async ValueTask<CacheResult> ReadAsync(SimulatedReplica replica, GenerationId id, string request, bool isLast, CancellationToken caller)
    {
        if (isLast || Reads.Count % 2 == 0)
        {
            return await replica.Cache.GetAsync(id, new FetchRequest(request), caller);
        }

        try
        {
            return await replica.Reader.ReadAsync(id, request, null, caller);
        }
        catch (UpstreamException fault)
        {
            return new CacheResult(null, CacheStatus.Miss, CacheTier.None, fault);
        }
    }

    /// <summary>With <see cref="PlantedBug.EachWaiterPolls"/>.</summary>
    private async Task PollWhileWaitingAsync(SimulatedReplica replica, GenerationId id, ReadRecord wait)
    {
        while (true)
        {
            await Task.Delay(SimulatedSettings.PollEvery, scheduler);
            if (wait.EndStep is not null)
            {
                return;
            }

            try
            {
                await replica.Reader.RefreshAsync(id, Guid.NewGuid().ToString("N"), scheduler.GetUtcNow());
            }
            catch (UpstreamException)
            {
                // The next poll repeats it.
            }
        }
    }

    private void Plant(SimulatedReplica replica, GenerationId id, ReadRecord wait)
    {
        switch (bug)
        {
            case PlantedBug.EachWaiterPolls:
                _ = PollWhileWaitingAsync(replica, id, wait);
                break;
            case PlantedBug.WaiterIsKept:
                replica.Targets.AddWaiter(id, new Waiter(null, WaiterKind.LongPoll, scheduler.Now, TimeSpan.MaxValue));
                break;
        }
    }

    private void Leave(ReadRecord record)
    {
        record.HasLeft = true;
        (record.EndStep, record.EndAt) = (scheduler.Step, scheduler.Now);
        scheduler.Write($"{record.Process.Name} caller of g{record.Key} left");
    }

    private ReadRecord Begin(SimulatedReplica replica, int key, TimeSpan? patience, bool isLast, TimeSpan? wait = null)
    {
        var record = new ReadRecord(replica.Process, key, scheduler.Step, scheduler.Now) { Patience = patience, IsLast = isLast, Wait = wait };
        Reads.Add(record);
        return record;
    }

    private void End(ReadRecord record, CacheResult result)
    {
        (record.EndStep, record.EndAt, record.Result) = (scheduler.Step, scheduler.Now, result);
        scheduler.Write($"{record.Process.Name} read g{record.Key}: {result.Status} {result.Entry?.Kind} {(result.Entry is { } entry ? $"requested at {source.RequestTimeOf(entry).TotalMilliseconds:F1} ms" : null)} {result.Fault?.Fault}");
    }
}
