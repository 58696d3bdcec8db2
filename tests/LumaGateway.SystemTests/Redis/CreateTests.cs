using System.Net;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Creates through several replicas that share one Redis.</summary>
[Collection(typeof(SharedSystem))]
public sealed class CreateTests(SharedSystem shared)
{
    private const string Replayed = "Idempotency-Replayed";

    private readonly IReadOnlyList<GatewayProcess> _replicas = shared.Group.Replicas;

    [Fact]
    public async Task Concurrent_creates_with_one_key_on_several_replicas_send_one_upstream_request()
    {
        await shared.Sandbox.AddFaultAsync(new SandboxFault("latency") { Delay = 300, Match = "POST */done-race-*/extend" });

        for (var round = 0; round < 3; round++)
        {
            var id = $"done-race-{round}";
            var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Creates.SendAsync(_replicas[i % 2], id, id)));

            Assert.Equal(1, await shared.Sandbox.CountAsync(id));
            Assert.Single(responses, response => response.StatusCode is HttpStatusCode.OK && !response.Headers.Contains(Replayed));
            Assert.All(responses, response => Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict)); // late requests get the stored response

            // Each replica returns the same stored response.
            var made = new HashSet<string>();
            foreach (var replica in _replicas)
            {
                using var again = await Creates.SendAsync(replica, id, id);
                Assert.True(again.Headers.Contains(Replayed));
                made.Add((await Creates.JsonAsync(again)).GetProperty("id").GetString()!);
            }

            Assert.Single(made);
        }
    }

    [Fact]
    public async Task A_create_of_a_killed_replica_is_not_sent_again_by_another_replica()
    {
        const string Id = "done-killed";
        await shared.Sandbox.AddFaultAsync(new SandboxFault("hang") { Match = $"POST */{Id}/extend" });
        await using var killed = await shared.StartBesideAsync();
        var pending = Creates.SendAsync(killed.Replicas[0], Id, "killed");
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(Id) == 1, () => "The create was not sent.");
        killed.Replicas[0].Process.Kill();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => pending);

        using var other = await Creates.SendAsync(_replicas[1], Id, "killed");

        Assert.Equal((HttpStatusCode.Conflict, "create_in_progress"), (other.StatusCode, await Creates.CodeAsync(other)));
        Assert.Equal(1, await shared.Sandbox.CountAsync(Id));
    }
}
