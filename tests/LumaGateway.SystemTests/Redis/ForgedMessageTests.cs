using StackExchange.Redis;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Another program writes to the replicas' Redis. Needs redis-server or Garnet.</summary>
[Collection(typeof(SharedSystem))]
public sealed class ForgedMessageTests(SharedSystem shared)
{
    private const string Account = "forged";

    [Fact]
    public async Task With_a_signing_key_a_forged_pause_message_has_no_effect()
    {
        const string Warm = "done-forged-warm";
        await using var group = await shared.StartAsync(2, Account, ("Cache:SigningKey", "signing-key-of-the-system-tests-0123456789"));
        foreach (var replica in group.Replicas)
        {
            await replica.ReadAsync(Warm);
        }

        Assert.Equal(1, await shared.Sandbox.CountAsync(Warm)); // signed entries are shared

        var publisher = (await shared.Redis.DataAsync()).Multiplexer.GetSubscriber();
        var channel = Assert.Single((string[])(await shared.Redis.ExecuteAsync("PUBSUB", "CHANNELS", $"*:{Account}:*:replicas"))!);
        Assert.Equal(2, await publisher.PublishAsync(RedisChannel.Literal(channel), "pause 300000"));

        // Messages arrive in order: a replica that received the purge has also received the forged message.
        using var purged = await group.Replicas[0].PurgeAsync(Warm);
        await Wait.UntilAsync(
            async () =>
            {
                await group.Replicas[1].ReadAsync(Warm);
                return await shared.Sandbox.CountAsync(Warm) > 1;
            },
            () => "The other replica did not receive the purge.");

        foreach (var (index, replica) in group.Replicas.Index())
        {
            var id = $"done-forged-miss-{index}";
            Assert.Contains("completed", await replica.ReadAsync(id), StringComparison.Ordinal);
            Assert.Equal(1, await shared.Sandbox.CountAsync(id));
        }
    }
}
