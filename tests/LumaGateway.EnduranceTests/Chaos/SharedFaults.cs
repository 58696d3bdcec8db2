using System.Text;
using StackExchange.Redis;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Faults of the state and messages that replicas share, and of their callers. One at a time.</summary>
internal sealed class SharedFaults(ChaosSystem system, TimeProvider clock)
{
    private const int Disconnects = 300;

    /// <summary>Longer than a replica needs to subscribe again.</summary>
    private static readonly TimeSpan Resubscribe = TimeSpan.FromSeconds(5);

    private readonly TimeWindows _deletedRecords = new(clock);
    private readonly TimeWindows _lostMessages = new(clock);

    /// <summary>Whether a record of a keyed create may have been deleted within this time.</summary>
    public bool MayHaveDeletedRecords(long from, long until) => _deletedRecords.Overlaps(from, until);

    /// <summary>Whether a message between replicas may have been lost within this time.</summary>
    public bool MayHaveLostMessages(long from, long until) => _lostMessages.Overlaps(from, until);

    public Task ThrowAsync(PlannedFault fault) => fault.Kind switch
    {
        FaultKind.RecordsAreDeleted => _deletedRecords.DuringAsync(() => RepeatAsync(fault, TimeSpan.FromMilliseconds(300), DeleteRecordsAsync), TimeSpan.Zero),
        FaultKind.MessagesAreLost => _lostMessages.DuringAsync(() => RepeatAsync(fault, TimeSpan.FromMilliseconds(200), CutSubscriptionsAsync), Resubscribe),
        FaultKind.MessagesAreForged => RepeatAsync(fault, TimeSpan.FromMilliseconds(200), ForgeAsync),
        FaultKind.CallersDisconnect => DisconnectAsync(fault),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

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

    private static async Task DeleteRecordsAsync(RedisServer master)
    {
        var data = await master.DataAsync();
        var keys = await master.KeysAsync("luma-gateway:create:*");
        await data.KeyDeleteAsync([.. keys.Where((_, index) => index % 3 == 0)]);
    }

    private static Task CutSubscriptionsAsync(RedisServer master) => master.ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");

    private async Task ForgeAsync(RedisServer master)
    {
        var channels = (RedisResult[])(await master.ExecuteAsync("PUBSUB", "CHANNELS", "luma-gateway:*fleet"))!;
        string[] messages = ["", "pause", "pause -1", "purge", "purge ../etc", "change x", new string('x', 5_000_000), .. system.IsSigned ? ["pause 300000", $"purge {Ids.Treasures[0]}"] : Array.Empty<string>()];
        foreach (var channel in channels)
        {
            foreach (var message in messages)
            {
                await master.ExecuteAsync("PUBLISH", (string)channel!, Encoding.UTF8.GetBytes(message));
            }
        }
    }

    private async Task DisconnectAsync(PlannedFault fault)
    {
        if (system.Replicas[fault.Replica].Now is not var (_, address))
        {
            return; // it does not run
        }

        AbortedRequest[] requests =
        [
            new("GET", $"/generations/{Ids.Treasures[0]}"),
            new("GET", $"/generations/{Ids.Endless(0)}"),
            new("GET", $"/generations/{Ids.Endless(1)}", null, ("Prefer", "wait=20")),
            new("GET", $"/generations/{Ids.Endless(2)}/events"),
            new("GET", $"/generations?ids={Ids.Treasures[1]},{Ids.Endless(3)}"),
        ];
        try
        {
            await new AbortStorm(address, GatewayProcess.ClientKey, requests).OverHttp1Async(Disconnects, TestContext.Current.CancellationToken);
        }
        catch (Exception exception) when (exception is System.Net.Sockets.SocketException or IOException)
        {
            // The replica was killed or stopped meanwhile.
        }
    }
}
