using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using LumaGateway.Caching;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Callers that delete or purge generations of their own and read them again from every replica. Before that, all replicas have the generation in memory, or are
/// fetching it. Thread-safe.
/// </summary>
internal sealed class Deleters(ChaosSystem system, Exchange exchange, Faults faults, Findings findings, string name, TimeProvider clock)
{
    /// <summary>Milliseconds between the bytes of a response that is being fetched while its generation is removed: it takes one or two seconds.</summary>
    private const int SlowByte = 2;

    /// <summary>A message to the other replicas arrives within this time, also without much CPU time.</summary>
    private static readonly TimeSpan MessageArrives = TimeSpan.FromSeconds(2);

    /// <summary>When the reads are repeated: late writes of an old response would be seen then.</summary>
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(4);

    /// <summary>A Redis that lost its last writes may have lost those of so long before.</summary>
    private static readonly TimeSpan NotYetReplicated = TimeSpan.FromSeconds(1);

    /// <summary>From when on also a replica that got no message has looked at Redis again.</summary>
    private static readonly TimeSpan MemoryEnds = new CacheOptions().MemoryLifetime + TimeSpan.FromSeconds(5);

    private static readonly TimeSpan UpstreamTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Removal> _removals = new();
    private int _soon;
    private int _late;
    private int _lateAlthoughUnheard;
    private int _lateUnconfirmed;

    /// <summary>How many removals were judged, for people.</summary>
    public override string ToString() =>
        $"{_soon} reads of removed generations judged soon; removals judged after rounds: {_late}, of them {_lateAlthoughUnheard} with lost messages, {_lateUnconfirmed} confirmed later";

    /// <summary>Deletes a generation, purges one, or purges one while it is fetched.</summary>
    public async Task<HttpResponseMessage> DeleteAsync(int number)
    {
        var id = $"{(number % 3 == 0 ? "deleted" : "purged")}-{name}{number}";
        await system.Sandbox.SetStateAsync(id, "completed");
        if (number % 3 == 2)
        {
            await BeginFetchesAsync(id);
        }
        else
        {
            await Task.WhenAll(Enumerable.Range(0, system.Replicas.Count).Select(replica => TryReadAsync(id, replica)));
        }

        var isGone = number % 3 == 0 && await TryDeleteUpstreamAsync(id);
        if (!isGone)
        {
            await system.Sandbox.SetStateAsync(id, "failed");
        }

        var isPeace = faults.Redis.IsAtPeace;
        var from = clock.GetTimestamp();
        var (_, process, address) = exchange.Choose((number / 3) + (number / 9));
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(address, PathOf(id, number)));
        var response = await exchange.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        findings.Check(Invariant.NoInternalError, !body.Contains("internal_error", StringComparison.Ordinal), () => $"{request}: {body}"); // the upstream's own 500 passes
        var isConfirmed = Removal.IsConfirmedBy(response.StatusCode, response.Headers.TryGetValues("Cache-Status", out var values) ? string.Join(',', values) : "", body);
        findings.Check(
            Invariant.PurgedNeverReturns,
            isConfirmed is not null || !(response.IsSuccessStatusCode || response.StatusCode is HttpStatusCode.NotFound),
            () => $"The response to {request.RequestUri} does not say what became of the cached response: {response}");
        if (isConfirmed is { } known)
        {
            var removal = new Removal(id, isGone, process, known, from, clock.GetTimestamp());
            _removals.Enqueue(removal);
            if (isPeace && known)
            {
                await JudgeSoonAsync(removal);
            }
        }

        return response;
    }

    /// <summary>
    /// Reads what was removed from every replica, once its removal must be known to all of them. To be called while all replicas run, when no fault is thrown.
    /// </summary>
    public async Task CheckAsync()
    {
        await Wait.UntilAsync(() => faults.Redis.IsAtPeace, () => "Redis is not at peace although no fault is thrown.");
        foreach (var removal in _removals.ToArray())
        {
            _removals.TryDequeue(out _);
            var isAged = clock.GetElapsedTime(removal.Until) > MemoryEnds;
            var isUnheard = faults.Shared.MayHaveLostMessages(removal.From, removal.IsConfirmed ? removal.Until : clock.GetTimestamp());
            if (!isAged)
            {
                _removals.Enqueue(removal); // again after a later round
            }

            if ((isAged || !isUnheard) && IsKnownToRedis(removal))
            {
                _late++;
                _lateAlthoughUnheard += isUnheard ? 1 : 0;
                _lateUnconfirmed += removal.IsConfirmed ? 0 : 1;

                // A replica that was stopped connects anew and has lost what was on its way.
                var judged = Enumerable.Range(0, system.Replicas.Count).Where(number => isAged || system.Replicas[number].IsUndisturbedSince(removal.From));
                await Task.WhenAll(judged.Select(number => JudgeAsync(removal, number)));
            }
        }
    }

    /// <summary>Soon after a removal, while Redis works and messages arrive.</summary>
    private async Task JudgeSoonAsync(Removal removal)
    {
        foreach (var pause in new[] { MessageArrives, Later })
        {
            await Wait.ForAsync(pause);
            for (var number = 0; number < system.Replicas.Count; number++)
            {
                var (replica, _, _) = exchange.Choose(number);
                if (await TryReadAsync(removal.Id, number) is var (status, body)
                    && faults.Redis.IsAtPeace
                    && replica.IsUndisturbedSince(removal.From)
                    && !faults.Shared.MayHaveLostMessages(removal.From, clock.GetTimestamp()))
                {
                    Interlocked.Increment(ref _soon);
                    Judge(removal, number, status, body);
                }
            }
        }
    }

    private async Task JudgeAsync(Removal removal, int number)
    {
        if (await TryReadAsync(removal.Id, number) is var (status, body))
        {
            Judge(removal, number, status, body);
        }
    }

    private void Judge(Removal removal, int number, HttpStatusCode status, string body) => findings.Check(
        Invariant.PurgedNeverReturns,
        !removal.IsContradictedBy(status, body),
        () => $"Replica {number}, {clock.GetElapsedTime(removal.From).TotalSeconds:0.0} s after {removal}: {(int)status} {body}");

    /// <summary>Whether Redis has the removal: it confirmed it, or the process that repeats it still runs; and no failover may have lost it since.</summary>
    private bool IsKnownToRedis(Removal removal) => removal.IsConfirmed
        ? !faults.Redis.MayHaveForgotten(removal.From, removal.Until + (long)(NotYetReplicated.TotalSeconds * clock.TimestampFrequency))
        : !faults.Redis.MayHaveForgotten(removal.From, clock.GetTimestamp()) && system.Replicas.Any(replica => replica.Now?.Name == removal.Replica);

    /// <summary>Has every replica ask for it, and returns while the response is on its way to the one that fetches.</summary>
    private async Task BeginFetchesAsync(string id)
    {
        await system.Sandbox.AddFaultAsync(new SandboxFault("drip") { Delay = SlowByte, Match = $"GET *{id}", Count = 1 });
        for (var replica = 0; replica < system.Replicas.Count; replica++)
        {
            _ = TryReadAsync(id, replica); // its caller asked before the removal: whatever it is told is right
        }

        await Wait.ForAsync(TimeSpan.FromMilliseconds(300));
    }

    /// <summary>Null where no response came.</summary>
    private async Task<(HttpStatusCode Status, string Body)?> TryReadAsync(string id, int number)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(exchange.Choose(number).Address, $"/generations/{id}"));
            using var response = await exchange.SendAsync(request);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>
    /// The emulated relay has no DELETE; another dialect of the same sandbox has. The gateway's own DELETE is then answered with 404, which removes the cached response too.
    /// False where a fault was in the way.
    /// </summary>
    private async Task<bool> TryDeleteUpstreamAsync(string id)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = UpstreamTimeout };
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(system.Sandbox.Address, $"/dream-machine/v1/generations/{id}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", faults.Token.Current);
        try
        {
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static string PathOf(string id, int number) => (number % 3 == 0, number / 3 % 3) switch
    {
        (false, _) => $"/generations/{id}/cache",
        (true, 0) => $"/luma/generations/{id}",
        (true, 1) => $"/luma/generations/{id}/",
        (true, _) => $"/LUMA/Generations/{id}",
    };
}
