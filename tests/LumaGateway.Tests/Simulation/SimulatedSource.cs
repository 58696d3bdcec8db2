using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Tests.Simulation;

/// <summary>Records the fetches of all replicas. The product's source fetches.</summary>
internal sealed class SimulatedSource(SimulationScheduler scheduler, PlantedBug bug)
{
    private readonly Dictionary<(GenerationId Key, DateTimeOffset RequestedAt), TimeSpan> _requestTimes = [];

    /// <summary>With <see cref="PlantedBug.FaultIsKept"/>.</summary>
    private readonly Dictionary<(SimulatedProcess, GenerationId), UpstreamException> _faults = [];

    public List<FetchRecord> Fetches { get; } = [];

    /// <summary>With <see cref="PlantedBug.CallerCancelsFetch"/>: the callers that cancel their request when they disconnect.</summary>
    public Dictionary<string, CancellationToken> Callers { get; } = [];

    /// <summary>When an entry was really requested: <see cref="CacheEntry.RequestedAt"/> is of the clock of its replica.</summary>
    public TimeSpan RequestTimeOf(CacheEntry entry) => _requestTimes[(entry.Key, entry.RequestedAt)];

    /// <summary>The source of a replica.</summary>
    public IEntrySource Of(IEntrySource source) => new Recorder(this, source);

    private async Task<CacheEntry> FetchAsync(IEntrySource source, GenerationId key, string requestId, Deadline deadline)
    {
        var fetch = new FetchRecord(scheduler.Current().Process, key, requestId, scheduler.Now);
        Fetches.Add(fetch);
        scheduler.Write($"fetch of {key} for {(fetch.IsPoll ? "a poll" : requestId)}");
        try
        {
            if (_faults.TryGetValue((fetch.Process, key), out var kept))
            {
                throw kept;
            }

            var fetching = source.FetchAsync(key, requestId, deadline);
            var entry = await (Callers.TryGetValue(requestId, out var caller) ? EndWithCallerAsync(fetching, caller) : fetching);
            if (bug is PlantedBug.LateResponseIsNew || (bug is PlantedBug.LateNotFoundIsNew && entry.Kind is EntryKind.NotFound))
            {
                entry = new CacheEntry(key, entry.Kind, entry.Body, entry.StoredAt, entry.FreshUntil, entry.StaleUntil); // requested when it was stored
            }

            fetch.Kind = entry.Kind;
            _requestTimes[(key, entry.RequestedAt)] = fetch.From;
            return entry;
        }
        catch (UpstreamException fault) when (bug is PlantedBug.FaultIsKept)
        {
            _faults.TryAdd((fetch.Process, key), fault);
            throw;
        }
        finally
        {
            fetch.To = scheduler.Now;
        }
    }

    private static async Task<CacheEntry> EndWithCallerAsync(Task<CacheEntry> fetching, CancellationToken caller)
    {
        var left = new TaskCompletionSource<CacheEntry>();
        using var registration = caller.Register(() => left.TrySetCanceled(caller));
        return await await Task.WhenAny(fetching, left.Task);
    }

    private sealed class Recorder(SimulatedSource fetches, IEntrySource source) : IEntrySource
    {
        public TimeSpan Deadline => source.Deadline;

        public Task<CacheEntry> FetchAsync(GenerationId key, string requestId, Deadline deadline) => fetches.FetchAsync(source, key, requestId, deadline);
    }
}
