using System.Net;

namespace LumaGateway.SystemTests.Redis;

/// <summary>Creates through several replicas that share one Redis.</summary>
[Collection(typeof(SharedSystem))]
public sealed class CreateTests(SharedSystem shared)
{
    private const string Replayed = "Idempotency-Replayed";

    private readonly IReadOnlyList<GatewayProcess> _replicas = shared.Fleet.Replicas;

    [Fact]
    public async Task Concurrent_creates_with_one_key_on_several_replicas_send_one_upstream_request()
    {
        await shared.Sandbox.BreakAsync(new SandboxFault("latency") { Delay = 300, Match = "POST */done-race-*/extend" });

        for (var round = 0; round < 3; round++)
        {
            var id = $"done-race-{round}";
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Creates.SendAsync(_replicas[i % 2], id, id)));

            Assert.Equal(1, await shared.Sandbox.CountAsync(id));
            Assert.Single(answers, answer => answer.StatusCode is HttpStatusCode.OK && !answer.Headers.Contains(Replayed));
            Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict)); // whoever came late was given the answer again

            // Each replica gives the same answer again, whichever made it.
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
        const string Id = "done-dying";
        await shared.Sandbox.BreakAsync(new SandboxFault("hang") { Match = $"POST */{Id}/extend" });
        await using var victim = await shared.StartBesideAsync();
        var dying = Creates.SendAsync(victim.Replicas[0], Id, "dying");
        await Wait.UntilAsync(async () => await shared.Sandbox.CountAsync(Id) == 1, () => "The create was not sent.");
        victim.Replicas[0].Process.Kill();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => dying);

        using var other = await Creates.SendAsync(_replicas[1], Id, "dying");

        Assert.Equal((HttpStatusCode.Conflict, "create_in_progress"), (other.StatusCode, await Creates.CodeAsync(other)));
        Assert.Equal(1, await shared.Sandbox.CountAsync(Id));
    }
}
