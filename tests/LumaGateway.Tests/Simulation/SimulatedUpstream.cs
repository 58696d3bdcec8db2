using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;

namespace LumaGateway.Tests.Simulation;

/// <summary>
/// The upstream: each generation appears, becomes final, and may be deleted. A request reads the state at its beginning and responds later. Records every request.
/// </summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed class SimulatedUpstream(SimulationScheduler scheduler, Schedule schedule, PlantedBug bug) : IEntrySource
{
    /// <summary>The limit of the account. It is small, so that creates wait for it.</summary>
    public const int MaxConcurrentJobs = 2;

    private readonly Dictionary<(GenerationId Key, DateTimeOffset RequestedAt), TimeSpan> _requestTimes = [];
    private int _version;

    public bool Fails { get; set; }

    public bool IsSlow { get; set; }

    /// <summary>The requests: key, begin, end, and the result; null if it failed.</summary>
    public List<(GenerationId Key, TimeSpan From, TimeSpan To, EntryKind? Kind)> Requests { get; } = [];

    /// <summary>The jobs that the upstream has begun, with the time of their end.</summary>
    public List<(GenerationId Id, TimeSpan From, TimeSpan To)> Jobs { get; } = [];

    /// <summary>The number of billed creates by idempotency key.</summary>
    public Dictionary<int, int> Billed { get; } = [];

    /// <summary>With <see cref="PlantedBug.CallerCancelsFetch"/>: the callers that cancel their request when they disconnect.</summary>
    public Dictionary<string, CancellationToken> Callers { get; } = [];

    /// <summary>When an entry was really requested: <see cref="CacheEntry.RequestedAt"/> is of the clock of its replica.</summary>
    public TimeSpan RequestTimeOf(CacheEntry entry) => _requestTimes[(entry.Key, entry.RequestedAt)];

    public TimeSpan Deadline { get; } = TimeSpan.FromSeconds(5);

    public static GenerationId KeyOf(int index) => GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"g{index}"), null);

    public async Task<CacheEntry> FetchAsync(GenerationId key, string requestId, Deadline deadline)
    {
        var from = scheduler.Now;
        var requestedAt = scheduler.GetUtcNow();
        scheduler.Write($"upstream request {key}");
        var index = Requests.Count;
        Requests.Add((key, from, TimeSpan.MaxValue, null));
        var (existsFrom, finalFrom, deletedFrom) = schedule.Generations[key.Value[1] - '0'];
        var kind = from < existsFrom || from >= deletedFrom ? EntryKind.NotFound : from < finalFrom ? EntryKind.Interim : EntryKind.Final;
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, Callers.GetValueOrDefault(requestId));
        try
        {
            await Task.Delay(Latency(), scheduler, cancellation.Token);
        }
        catch (OperationCanceledException) when (deadline.Token.IsCancellationRequested)
        {
            Requests[index] = (key, from, scheduler.Now, null);
            throw new UpstreamException(UpstreamFault.TimedOut, "The upstream is slow.");
        }

        if (Fails)
        {
            Requests[index] = (key, from, scheduler.Now, null);
            throw new UpstreamException(UpstreamFault.Failed, "The upstream fails.");
        }

        Requests[index] = (key, from, scheduler.Now, kind);
        var now = scheduler.GetUtcNow();
        var freshFor = kind switch { EntryKind.Final => TimeSpan.FromHours(1), EntryKind.Interim => TimeSpan.FromSeconds(1 + scheduler.Random.NextDouble()), _ => TimeSpan.FromSeconds(1) };
        byte[] body = kind is EntryKind.NotFound ? [] : Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{kind} {_version++}"));
        var entryRequestedAt = bug is PlantedBug.LateNotFoundIsNew && kind is EntryKind.NotFound ? now : requestedAt;
        _requestTimes[(key, entryRequestedAt)] = from;
        return new CacheEntry(key, kind, body, now, now + freshFor, now + freshFor + (kind is EntryKind.Final ? TimeSpan.FromDays(7) : TimeSpan.Zero))
        {
            RequestedAt = entryRequestedAt,
        };
    }

    /// <summary>A create: billed when it is received. Returns null if its outcome is unknown to the caller.</summary>
    public async Task<GenerationId?> CreateAsync(int key)
    {
        Billed[key] = Billed.GetValueOrDefault(key) + 1;
        var id = GenerationId.Parse(string.Create(CultureInfo.InvariantCulture, $"job{Jobs.Count}"), null);
        var latency = Latency();
        Jobs.Add((id, scheduler.Now, scheduler.Now + latency + TimeSpan.FromMilliseconds(scheduler.Random.Next(6000))));
        await Task.Delay(latency, scheduler, CancellationToken.None);
        return Fails ? null : id;
    }

    private TimeSpan Latency() => TimeSpan.FromMilliseconds(IsSlow || scheduler.Random.Next(3) == 0 ? scheduler.Random.Next(500, 6000) : scheduler.Random.Next(5, 150));
}
