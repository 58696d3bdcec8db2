using StackExchange.Redis;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Applies faults to the shared state, to messages between replicas and to callers, one at a time.</summary>
internal sealed class SharedFaults(ChaosSystem system, TimeProvider clock)
{
    private const int Disconnects = 100;

    /// <summary>Redis disconnects a subscriber with 32 MB of pending messages, which would be another fault. So not every round has a large message.</summary>
    private const int LargeEvery = 10;

    /// <summary>Milliseconds of latency for a create, so that its record can be deleted while it runs.</summary>
    private const int SlowCreate = 600;

    /// <summary>Longer than a replica needs to resubscribe.</summary>
    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(5);

    private readonly TimeWindows _lostMessages = new(clock);
    private long _closed;
    private long _forged;
    private int _rounds;
    private long _disconnected;

    public CreateRecords Records { get; } = new();

    /// <summary>Whether a message between replicas may have been lost within this time.</summary>
    public bool MayHaveLostMessages(long from, long until) => _lostMessages.Overlaps(from, until);

    /// <summary>The counts of the faults, for the report.</summary>
    public override string ToString() =>
        $"records deleted while their create ran {Records.Count(Deletion.WhileRunning)}, afterwards {Records.Count(Deletion.AfterCompletion)}; subscriptions closed {_closed}; forged messages {_forged}; requests aborted {_disconnected}";

    public Task ApplyAsync(PlannedFault fault) => fault.Kind switch
    {
        FaultKind.RecordsAreDeleted => DeleteRecordsAsync(fault),
        FaultKind.MessagesAreLost => WithMessageLossAsync(() => RepeatAsync(fault, TimeSpan.FromMilliseconds(200), CloseSubscriptionsAsync)),
        FaultKind.MessagesAreForged => RepeatAsync(fault, TimeSpan.FromMilliseconds(200), ForgeAsync),
        FaultKind.CallersDisconnect => DisconnectAsync(fault),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    /// <summary>Runs an action during which messages between replicas may be lost.</summary>
    public Task WithMessageLossAsync(Func<Task> act) => _lostMessages.RecordAsync(act, Resubscribe);

    /// <summary>Delays the next create.</summary>
    public Task SlowOneCreateAsync() => system.Sandbox.AddFaultAsync(new SandboxFault("latency") { Delay = SlowCreate, Match = "POST /luma/generations", Count = 1 });

    /// <summary>Ignores failures of Redis, because a fault of the Redis lane can be active.</summary>
    private async Task RepeatAsync(PlannedFault fault, TimeSpan pause, Func<RedisServer, Task> actAsync)
    {
        var started = clock.GetTimestamp();
        while (clock.GetElapsedTime(started) < fault.Duration)
        {
            try
            {
                await actAsync(await system.Redis.MasterAsync()).WaitAsync(TimeSpan.FromSeconds(1), clock);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or InvalidOperationException)
            {
                // The loop tries again after the pause.
            }

            await Wait.ForAsync(pause);
        }
    }

    private async Task DeleteRecordsAsync(PlannedFault fault)
    {
        Records.IsDeleting = true;
        await RepeatAsync(fault, TimeSpan.FromMilliseconds(100), Records.DeleteAsync);
        Records.IsDeleting = false;
    }

    /// <summary>
    /// Closes the subscriptions of the gateways on both servers, because a gateway can resubscribe on the other one. The Sentinel's subscriptions stay, because
    /// their loss could cause a failover.
    /// </summary>
    private async Task CloseSubscriptionsAsync(RedisServer master)
    {
        foreach (var server in system.Redis.Servers)
        {
            var clients = ((string)(await server.ExecuteAsync("CLIENT", "LIST", "TYPE", "pubsub"))!).Split('\n').Select(line => line.Split(' '));
            foreach (var client in clients.Where(client => client.Contains("name=luma-gateway")))
            {
                _closed += (long)await server.ExecuteAsync("CLIENT", "KILL", "ID", client.First(field => field.StartsWith("id=", StringComparison.Ordinal))[3..]);
            }
        }
    }

    /// <summary>Only the replicas' channel has this prefix. A subscription can be on either server; the master passes messages on to its replica.</summary>
    private async Task ForgeAsync(RedisServer master)
    {
        var channels = new HashSet<string>();
        foreach (var server in system.Redis.Servers)
        {
            channels.UnionWith(((string[]?)await server.ExecuteAsync("PUBSUB", "CHANNELS", "luma-gateway:*"))!);
        }

        foreach (var channel in channels)
        {
            foreach (var message in ForgedMessages.Of(system.IsSigned, withLarge: _rounds++ % LargeEvery == 0))
            {
                await master.ExecuteAsync("PUBLISH", channel, message);
                _forged++;
            }
        }
    }

    private async Task DisconnectAsync(PlannedFault fault)
    {
        AbortedRequest[] requests =
        [
            new("GET", $"/generations/{Ids.Cached[0]}"),
            new("GET", $"/generations/{Ids.Processing(0)}"),
            new("GET", $"/generations/{Ids.Processing(1)}", null, ("Prefer", "wait=20")),
            new("GET", $"/generations/{Ids.Processing(2)}/events"),
            new("GET", $"/generations?ids={Ids.Cached[1]},{Ids.Processing(3)}"),
            new("DELETE", "/generations/storm/cache"),
            new("POST", "/luma/generations", """{"prompt":"storm"}""", ("Idempotency-Key", "storm")),
        ];
        var started = clock.GetTimestamp();
        while (clock.GetElapsedTime(started) < fault.Duration && system.Replicas[fault.Replica].Current is var (_, address))
        {
            _disconnected += await new AbortStorm(address, GatewayProcess.ClientKey, requests).OverHttp1Async(Disconnects, TestContext.Current.CancellationToken);
            await Wait.ForAsync(TimeSpan.FromMilliseconds(200)); // a stopped replica refuses connections at once
        }
    }
}
