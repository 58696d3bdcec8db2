using System.Reflection;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Time;

namespace LumaGateway.Tests.Simulation;

/// <summary>What callers and list sweeps do on a replica, and the record of it.</summary>
internal sealed class SimulatedCallers(SimulationScheduler scheduler, SimulatedUpstream upstream, PlantedBug bug, List<Violation> violations)
{
    /// <summary>Longer than a run: a lease does not expire meanwhile.</summary>
    private static readonly TimeSpan SlotLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Callers that can disconnect: after the fetch, Task.WaitAsync continues on the thread pool.</summary>
    private readonly List<(Task Fetch, CancellationToken Caller)> _waiting = [];

    public List<ReadRecord> Reads { get; } = [];

    public List<PurgeRecord> Purges { get; } = [];

    public List<CreateRecord> Creates { get; } = [];

    /// <summary>The callers whose fetch has ended in the last step, and who continue on the thread pool.</summary>
    public int TakeEnded()
    {
        _waiting.RemoveAll(static waiting => waiting.Caller.IsCancellationRequested); // they continued in the simulation
        return _waiting.RemoveAll(static waiting => waiting.Fetch.IsCompleted);
    }

    public async Task ReadAsync(SimulatedReplica replica, int key, TimeSpan? patience = null, bool isLast = false)
    {
        var record = Begin(replica, key, patience, isLast);
        using var caller = patience is { } limit ? new CancellationTokenSource(limit, scheduler) : null;
        var request = $"read {Reads.Count}";
        if (bug is PlantedBug.CallerCancelsFetch && caller is not null)
        {
            upstream.Callers[request] = caller.Token;
        }

        try
        {
            End(record, await GetAsync(replica, SimulatedUpstream.KeyOf(key), new FetchRequest(request), caller?.Token ?? CancellationToken.None));
        }
        catch (OperationCanceledException) when (caller is { IsCancellationRequested: true })
        {
            record.HasLeft = true;
            (record.EndStep, record.EndAt) = (scheduler.Step, scheduler.Now);
            scheduler.Write($"{replica.Process.Name} caller of g{key} left");
        }
        catch (OperationCanceledException)
        {
            violations.Add(new Violation(Property.ReadsEnd, $"g{key}: the read of step {record.BeginStep} was cancelled, but its caller waits"));
        }
    }

    public async Task PollAsync(SimulatedReplica replica, int key)
    {
        var record = Begin(replica, key, null, isLast: false);
        End(record, await replica.Cache.RefreshAsync(SimulatedUpstream.KeyOf(key), new FetchRequest("poll"), scheduler.GetUtcNow() - TimeSpan.FromSeconds(1)));
    }

    public async Task PurgeAsync(SimulatedReplica replica, int key)
    {
        var record = new PurgeRecord(replica.Process, key, scheduler.Step, scheduler.Now);
        Purges.Add(record);
        var id = SimulatedUpstream.KeyOf(key);
        var kept = bug is PlantedBug.PurgeKeepsFetches ? replica.InFlight[id] : null;
        record.IsConfirmed = await replica.Cache.PurgeAsync(id);
        if (kept is not null)
        {
            kept.GetType().GetProperty("IsInvalidated", BindingFlags.Instance | BindingFlags.Public)!.SetValue(kept, false);
            replica.InFlight[id] = kept;
        }

        (record.EndStep, record.EndAt) = (scheduler.Step, scheduler.Now);
        scheduler.Write($"{replica.Process.Name} purged g{key}, confirmed: {record.IsConfirmed}");
    }

    /// <summary>What a list sweep does with one entry of its page.</summary>
    public async Task PutListedAsync(SimulatedReplica replica, int key)
    {
        var purges = replica.Cache.Purges;
        using var deadline = new Deadline(upstream.Deadline, scheduler);
        try
        {
            var entry = await upstream.FetchAsync(SimulatedUpstream.KeyOf(key), "list", deadline);
            if (entry.Kind is not EntryKind.NotFound)
            {
                await replica.Cache.PutAsync(entry, bug is PlantedBug.ListedEntryIgnoresPurge ? replica.Cache.Purges : purges);
            }
        }
        catch (UpstreamException)
        {
            // The sweep is repeated later.
        }
    }

    /// <summary>The steps of the middleware for idempotency keys and slots, with the product's ledger and slots.</summary>
    public async Task CreateAsync(SimulatedReplica replica, int key)
    {
        var attempt = new Job(Job.NewAttemptKey(), SimulatedReplica.Account, "dialect", "client", null, null, scheduler.GetUtcNow(), null, JobState.Unknown);
        IdempotencyClaim claim;
        try
        {
            claim = await replica.Ledger.ClaimAsync("client", ["client", "create", $"{key}"], "body", ["previous", $"{key}"], attempt);
        }
        catch (IdempotencyStoreUnavailableException)
        {
            return; // refused: nothing was sent
        }

        if (!claim.IsAcquired)
        {
            return;
        }

        var (slot, retryAfter) = await replica.Slots.TryAcquireAsync(SimulatedReplica.Account, SlotLifetime);
        scheduler.Write($"{replica.Process.Name} creates {key}: {(retryAfter is null ? "sent" : "no slot")}");
        if (retryAfter is not null)
        {
            await replica.Ledger.ReleaseAsync(claim);
            return;
        }

        var create = new CreateRecord(attempt.Key);
        Creates.Add(create);
        create.Id = await upstream.CreateAsync(key);
        if (create.Id is not { } id)
        {
            await replica.Ledger.RecordUnknownAsync(claim);
            return;
        }

        await (slot is null ? Task.CompletedTask : replica.Slots.BindAsync(slot, id));
        await replica.Ledger.RecordResponseAsync(claim, new RecordedResponse(201, new Dictionary<string, string>(), []), JobChange.Complete(attempt, attempt with { Key = id.Value, State = JobState.Queued }));
        create.IsRecorded = true;
    }

    /// <summary>A replica sees the final state of every job that has ended and whose record is written.</summary>
    public async Task UpdateJobsAsync(SimulatedReplica replica)
    {
        foreach (var create in Creates.Where(create => create is { IsRecorded: true, IsUpdated: false } && upstream.Jobs.Exists(job => job.Id == create.Id && job.To <= scheduler.Now)).ToList())
        {
            create.IsUpdated = true;
            await replica.UpdateJobAsync(create.Id!.Value);
            scheduler.Write($"{replica.Process.Name} saw the end of {create.Id}");
        }
    }

    private ValueTask<CacheResult> GetAsync(SimulatedReplica replica, GenerationId id, FetchRequest request, CancellationToken caller)
    {
        var read = replica.Cache.GetAsync(id, request, caller);
        if (caller.CanBeCanceled && !read.IsCompleted && replica.InFlight[id] is SingleFlight<CacheResult>.InFlightFetch { Completion: { IsCompleted: false } fetch })
        {
            _waiting.Add((fetch, caller));
        }

        return read;
    }

    private ReadRecord Begin(SimulatedReplica replica, int key, TimeSpan? patience, bool isLast)
    {
        var record = new ReadRecord(replica.Process, key, scheduler.Step, scheduler.Now) { Patience = patience, IsLast = isLast };
        Reads.Add(record);
        return record;
    }

    private void End(ReadRecord record, CacheResult result)
    {
        (record.EndStep, record.EndAt, record.Result) = (scheduler.Step, scheduler.Now, result);
        scheduler.Write($"{record.Process.Name} read g{record.Key}: {result.Status} {result.Entry?.Kind} {(result.Entry is { } entry ? Encoding.UTF8.GetString(entry.Body) : null)} {result.Fault?.Fault}");
    }
}
