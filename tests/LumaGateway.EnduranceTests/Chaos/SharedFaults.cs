using StackExchange.Redis;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Faults of the state and messages that replicas share, and of their callers. One at a time.</summary>
internal sealed class SharedFaults(ChaosSystem system, TimeProvider clock)
{
    private const int Disconnects = 100;

    /// <summary>Redis cuts off a subscriber that falls behind by 32 MB: that is another fault.</summary>
    private const int LargeEvery = 10;

    /// <summary>Milliseconds that a create takes while records are deleted, so that it still runs then.</summary>
    private const int SlowCreate = 600;

    /// <summary>Longer than a replica needs to subscribe again.</summary>
    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(5);

    private readonly TimeWindows _lostMessages = new(clock);
    private long _cut;
    private long _forged;
    private int _rounds;
    private long _disconnected;

    public CreateRecords Records { get; } = new();

    /// <summary>Whether a message between replicas may have been lost within this time.</summary>
    public bool MayHaveLostMessages(long from, long until) => _lostMessages.Overlaps(from, until);

    /// <summary>What the faults did, for people.</summary>
    public override string ToString() =>
        $"records deleted while their create ran {Records.Count(Deletion.WhileRunning)}, afterwards {Records.Count(Deletion.AfterItsEnd)}; subscriptions cut {_cut}; forged messages {_forged}; requests aborted {_disconnected}";

    public Task ThrowAsync(PlannedFault fault) => fault.Kind switch
    {
        FaultKind.RecordsAreDeleted => DeleteRecordsAsync(fault),
        FaultKind.MessagesAreLost => LosingMessagesAsync(() => RepeatAsync(fault, TimeSpan.FromMilliseconds(200), CutSubscriptionsAsync)),
        FaultKind.MessagesAreForged => RepeatAsync(fault, TimeSpan.FromMilliseconds(200), ForgeAsync),
        FaultKind.CallersDisconnect => DisconnectAsync(fault),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    /// <summary>Does what makes messages between replicas be lost until it ends.</summary>
    public Task LosingMessagesAsync(Func<Task> act) => _lostMessages.DuringAsync(act, Resubscribe);

    /// <summary>The next create takes long.</summary>
    public Task SlowOneCreateAsync() => system.Sandbox.AddFaultAsync(new SandboxFault("latency") { Delay = SlowCreate, Match = "POST /luma/generations", Count = 1 });

    /// <summary>Redis may fail at the same time: another fault is responsible for that.</summary>
    private async Task RepeatAsync(PlannedFault fault, TimeSpan pause, Func<RedisServer, Task> actAsync)
    {
        var begun = clock.GetTimestamp();
        while (clock.GetElapsedTime(begun) < fault.For)
        {
            try
            {
                await actAsync(await system.Redis.MasterAsync()).WaitAsync(TimeSpan.FromSeconds(1), clock);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or InvalidOperationException)
            {
                // Tried again after the pause.
            }

            await Wait.ForAsync(pause);
        }
    }

    private async Task DeleteRecordsAsync(PlannedFault fault)
    {
        Records.AreDeleted = true;
        await RepeatAsync(fault, TimeSpan.FromMilliseconds(100), Records.DeleteAsync);
        Records.AreDeleted = false;
    }

    /// <summary>
    /// Those of the gateways, on both servers: a subscription that was cut may come back on the other one. A Sentinel whose own were cut may order a failover.
    /// </summary>
    private async Task CutSubscriptionsAsync(RedisServer master)
    {
        foreach (var server in system.Redis.Servers)
        {
            var clients = ((string)(await server.ExecuteAsync("CLIENT", "LIST", "TYPE", "pubsub"))!).Split('\n').Select(line => line.Split(' '));
            foreach (var client in clients.Where(client => client.Contains("name=luma-gateway")))
            {
                _cut += (long)await server.ExecuteAsync("CLIENT", "KILL", "ID", client.First(field => field.StartsWith("id=", StringComparison.Ordinal))[3..]);
            }
        }
    }

    /// <summary>The replicas' channel is the only one that begins so. A subscription may be on either server; what the master is given reaches both.</summary>
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
            new("GET", $"/generations/{Ids.Treasures[0]}"),
            new("GET", $"/generations/{Ids.Endless(0)}"),
            new("GET", $"/generations/{Ids.Endless(1)}", null, ("Prefer", "wait=20")),
            new("GET", $"/generations/{Ids.Endless(2)}/events"),
            new("GET", $"/generations?ids={Ids.Treasures[1]},{Ids.Endless(3)}"),
            new("DELETE", "/generations/storm/cache"),
            new("POST", "/luma/generations", """{"prompt":"storm"}""", ("Idempotency-Key", "storm")),
        ];
        var begun = clock.GetTimestamp();
        while (clock.GetElapsedTime(begun) < fault.For && system.Replicas[fault.Replica].Now is var (_, address))
        {
            _disconnected += await new AbortStorm(address, GatewayProcess.ClientKey, requests).OverHttp1Async(Disconnects, TestContext.Current.CancellationToken);
            await Wait.ForAsync(TimeSpan.FromMilliseconds(200)); // a replica that does not run refuses at once
        }
    }
}
