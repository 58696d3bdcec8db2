using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using LumaGateway.Caching;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// Callers that delete or purge their own generations and then read them from every replica. Before the removal, all replicas have the generation in memory or
/// are fetching it. Thread-safe.
/// </summary>
internal sealed class Deleters(ChaosSystem system, RequestSender sender, Faults faults, Findings findings, string name, TimeProvider clock)
{
    /// <summary>Milliseconds between the bytes of a response that is fetched during a removal. The response takes one or two seconds.</summary>
    private const int ByteDelay = 2;

    /// <summary>The longest delay of a message to the other replicas, also on a loaded machine.</summary>
    private static readonly TimeSpan MessageDelay = TimeSpan.FromSeconds(2);

    /// <summary>The pause before the second reads, which find late writes of an old response.</summary>
    private static readonly TimeSpan SecondReadDelay = TimeSpan.FromSeconds(4);

    /// <summary>A failover can lose writes that are up to this old.</summary>
    private static readonly TimeSpan ReplicationLag = TimeSpan.FromSeconds(1);

    /// <summary>After this time, a replica that missed the message has read Redis again.</summary>
    private static readonly TimeSpan MemoryExpiry = new CacheOptions().MemoryLifetime + TimeSpan.FromSeconds(5);

    private static readonly TimeSpan UpstreamTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Removal> _removals = new();
    private int _earlyChecks;
    private int _lateChecks;
    private int _lateWithLostMessages;
    private int _lateUnconfirmed;

    /// <summary>The number of checked removals, for the report.</summary>
    public override string ToString() =>
        $"{_earlyChecks} reads checked soon after a removal; removals checked after rounds: {_lateChecks}, of them {_lateWithLostMessages} with lost messages, {_lateUnconfirmed} confirmed later";

    /// <summary>Deletes a generation, purges one, or purges one during its fetch.</summary>
    public async Task<HttpResponseMessage> DeleteAsync(int number)
    {
        var id = $"{(number % 3 == 0 ? "deleted" : "purged")}-{name}{number}";
        await system.Sandbox.SetStateAsync(id, "completed");
        if (number % 3 == 2)
        {
            await StartFetchesAsync(id);
        }
        else
        {
            await Task.WhenAll(Enumerable.Range(0, system.Replicas.Count).Select(replica => TryReadAsync(id, replica)));
        }

        var isDeleted = number % 3 == 0 && await TryDeleteUpstreamAsync(id);
        if (!isDeleted)
        {
            await system.Sandbox.SetStateAsync(id, "failed");
        }

        var isStable = faults.Redis.IsStable;
        var from = clock.GetTimestamp();
        var (_, process, address) = sender.ChooseReplica((number / 3) + (number / 9));
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(address, PathOf(id, number)));
        var started = sender.Now;
        HttpResponseMessage response;
        try
        {
            response = await sender.SendAsync(request);
        }
        catch
        {
            sender.Checker.History.AddRemoval(id, isDeleted, process, started, null, isConfirmed: false);
            throw;
        }

        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        findings.Check(Invariant.NoInternalError, !body.Contains("internal_error", StringComparison.Ordinal), () => $"{request}: {body}"); // a 500 of the upstream is passed through
        var isConfirmed = Removal.IsConfirmedBy(response.StatusCode, response.Headers.TryGetValues("Cache-Status", out var values) ? string.Join(',', values) : "", body);
        sender.Checker.History.AddRemoval(id, isDeleted, process, started, sender.Now, isConfirmed is true);
        findings.Check(
            Invariant.PurgedNeverReturns,
            isConfirmed is not null || !(response.IsSuccessStatusCode || response.StatusCode is HttpStatusCode.NotFound),
            () => $"The response to {request.RequestUri} does not report the result of the purge: {response}");
        if (isConfirmed is { } known)
        {
            var removal = new Removal(id, isDeleted, process, known, from, clock.GetTimestamp());
            _removals.Enqueue(removal);
            if (isStable && known)
            {
                await CheckSoonAsync(removal);
            }
        }

        return response;
    }

    /// <summary>
    /// Reads the removed generations from every replica that must know the removal. Call it while all replicas run and no fault is active.
    /// </summary>
    public async Task CheckAsync()
    {
        await Wait.UntilAsync(() => faults.Redis.IsStable, () => "Redis is not stable although no fault is active.");
        foreach (var removal in _removals.ToArray())
        {
            _removals.TryDequeue(out _);
            var isAged = clock.GetElapsedTime(removal.Until) > MemoryExpiry;
            var hasLostMessages = faults.Shared.MayHaveLostMessages(removal.From, removal.IsConfirmed ? removal.Until : clock.GetTimestamp());
            if (!isAged)
            {
                _removals.Enqueue(removal); // checked again after a later round
            }

            if ((isAged || !hasLostMessages) && IsInRedis(removal))
            {
                _lateChecks++;
                _lateWithLostMessages += hasLostMessages ? 1 : 0;
                _lateUnconfirmed += removal.IsConfirmed ? 0 : 1;

                // A paused replica reconnects and has lost the messages in transit.
                var numbers = Enumerable.Range(0, system.Replicas.Count).Where(number => isAged || system.Replicas[number].HadNoFaultSince(removal.From));
                await Task.WhenAll(numbers.Select(number => CheckReplicaAsync(removal, number)));
            }
        }
    }

    /// <summary>Checks soon after a removal, while Redis works and messages arrive.</summary>
    private async Task CheckSoonAsync(Removal removal)
    {
        foreach (var pause in new[] { MessageDelay, SecondReadDelay })
        {
            await Wait.ForAsync(pause);
            for (var number = 0; number < system.Replicas.Count; number++)
            {
                var (replica, _, _) = sender.ChooseReplica(number);
                if (await TryReadAsync(removal.Id, number) is var (status, body)
                    && faults.Redis.IsStable
                    && replica.HadNoFaultSince(removal.From)
                    && !faults.Shared.MayHaveLostMessages(removal.From, clock.GetTimestamp()))
                {
                    Interlocked.Increment(ref _earlyChecks);
                    CheckRead(removal, number, status, body);
                }
            }
        }
    }

    private async Task CheckReplicaAsync(Removal removal, int number)
    {
        if (await TryReadAsync(removal.Id, number) is var (status, body))
        {
            CheckRead(removal, number, status, body);
        }
    }

    private void CheckRead(Removal removal, int number, HttpStatusCode status, string body) => findings.Check(
        Invariant.PurgedNeverReturns,
        !removal.IsStale(status, body),
        () => $"Replica {number}, {clock.GetElapsedTime(removal.From).TotalSeconds:0.0} s after {removal}: {(int)status} {body}");

    /// <summary>Whether Redis has the removal. Redis confirmed it, or the process that repeats it still runs. No failover has lost it since.</summary>
    private bool IsInRedis(Removal removal) => removal.IsConfirmed
        ? !faults.Redis.MayHaveLostWrites(removal.From, removal.Until + (long)(ReplicationLag.TotalSeconds * clock.TimestampFrequency))
        : !faults.Redis.MayHaveLostWrites(removal.From, clock.GetTimestamp()) && system.Replicas.Any(replica => replica.Current?.Name == removal.Replica);

    /// <summary>Starts a read on every replica and returns while the response is in transit.</summary>
    private async Task StartFetchesAsync(string id)
    {
        await system.Sandbox.AddFaultAsync(new SandboxFault("drip") { Delay = ByteDelay, Match = $"GET *{id}", Count = 1 });
        for (var replica = 0; replica < system.Replicas.Count; replica++)
        {
            _ = TryReadAsync(id, replica); // this read starts before the removal, so any response is correct
        }

        await Wait.ForAsync(TimeSpan.FromMilliseconds(300));
    }

    /// <summary>Returns null without a response.</summary>
    private async Task<(HttpStatusCode Status, string Body)?> TryReadAsync(string id, int number)
    {
        try
        {
            var (_, process, address) = sender.ChooseReplica(number);
            var started = sender.Now;
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, $"/generations/{id}"));
            using var response = await sender.SendAsync(request);
            var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            sender.Checker.History.AddRead(new ObservedResponse(process, id, started, sender.Now, (int)response.StatusCode, body, null, null));
            return (response.StatusCode, body);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>
    /// Deletes through another dialect of the sandbox, because the emulated relay has no DELETE. The gateway's own DELETE then gets 404, which also evicts the
    /// cached response. Returns false if a fault prevented the deletion.
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
