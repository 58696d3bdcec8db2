using System.Text;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>
/// Replicas that go away behind the real nginx and the real HAProxy, with the files of infra/. Needs nginx, haproxy, and redis-server or Garnet. Slow: a
/// replica that stops serves on until the balancers have seen it, and nginx tries one that was away after two seconds.
/// </summary>
public sealed class RestartTests(ITestOutputHelper output)
{
    private const int Readers = 3;
    private const int Creators = 6;
    private const int Waiters = 5;

    /// <summary>Longer than nginx keeps an idle connection to a gateway: one second, in this suite.</summary>
    private static readonly (string, string) ShutdownDelay = ("Server:ShutdownDelay", "00:00:03");

    [Fact]
    public async Task A_rolling_restart_fails_no_request_and_drops_no_waiter()
    {
        await using var system = await BalancedFleet.StartAsync(ShutdownDelay);
        var fleet = system.Fleet;
        var sides = await Task.WhenAll(system.Balancers.Select(balancer => Side.BeginAsync(balancer, fleet.Sandbox)));
        await Task.WhenAll(system.Balancers.Select(balancer => balancer.IsAnsweredByAllAsync()));

        foreach (var replica in fleet.Replicas.ToList())
        {
            replica.Process.Terminate();
            Assert.Equal(0, await replica.Process.WaitForExitAsync());
            await fleet.ReplaceAsync(replica);
            await Task.WhenAll(system.Balancers.Select(balancer => balancer.IsAnsweredByAllAsync()));
        }

        foreach (var side in sides)
        {
            await side.EndAsync(fleet.Sandbox, output);
        }
    }

    [Fact]
    public async Task A_replica_that_is_killed_fails_no_read_and_is_asked_no_more_until_it_is_back()
    {
        await using var system = await BalancedFleet.StartAsync();
        var fleet = system.Fleet;
        await fleet.Sandbox.MoveAsync("read", "completed");
        await fleet.Sandbox.MoveAsync("awaited", "processing");
        var clients = system.Balancers.Select(balancer => balancer.CreateClient()).ToList();
        var reads = clients.Select(client => Callers.Begin(Readers, _ => GetAsync(client, "read"))).ToList();
        var waiters = clients.SelectMany(client => Enumerable.Range(0, Waiters).Select(_ => new PatientCaller(client, "awaited"))).ToList();
        var waits = Task.WhenAll(waiters.Select(waiter => waiter.AskAsync()));
        await Task.WhenAll(system.Balancers.Select(balancer => balancer.IsAnsweredByAllAsync()));
        await Wait.UntilAsync(async () => await fleet.Sandbox.CountAsync("awaited") > 0, () => "Nobody waits.");

        var victim = fleet.Replicas[1];
        victim.Process.Kill();
        await Task.WhenAll(system.Balancers.Select(balancer => Wait.UntilAsync(
            () => balancer.Log.Any(line => line.Contains(balancer.Ejecting, StringComparison.Ordinal)),
            () => $"{balancer.Program} goes on asking it.\n{string.Join('\n', balancer.Log.TakeLast(20))}")));
        await Task.WhenAll(reads.Select(read => read.AnsweredAsync(50)));
        await fleet.ReplaceAsync(victim);
        await Task.WhenAll(system.Balancers.Select(balancer => balancer.IsAnsweredByAllAsync()));
        await fleet.Sandbox.MoveAsync("awaited", "completed");
        await waits;

        foreach (var read in reads)
        {
            var figures = await read.EndAsync();
            Assert.True(figures.Failed == 0, string.Join('\n', system.Balancers.SelectMany(balancer => balancer.Complaints)));
            Assert.Equal(figures.Count, figures.With(status => status is 200));
        }

        Assert.All(waiters, waiter => Assert.Empty(waiter.Drops));
        clients.ForEach(client => client.Dispose());
    }

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string id) =>
        client.GetAsync(new Uri($"/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>All that goes on through one balancer: reads, creates, and callers that wait for one generation.</summary>
    private sealed class Side(BalancerProcess balancer, HttpClient client, Callers reads, Callers creates, List<PatientCaller> followers, List<PatientCaller> waiters, Task waiting)
    {
        public static async Task<Side> BeginAsync(BalancerProcess balancer, SandboxProcess sandbox)
        {
            var client = balancer.CreateClient();
            for (var i = 0; i < 20; i++)
            {
                await sandbox.MoveAsync($"read-{i}", "completed");
            }

            await sandbox.MoveAsync(IdFor(balancer), "processing");
            var followers = Enumerable.Range(0, Waiters).Select(_ => new PatientCaller(client, IdFor(balancer))).ToList();
            var waiters = Enumerable.Range(0, Waiters).Select(_ => new PatientCaller(client, IdFor(balancer))).ToList();
            return new Side(
                balancer,
                client,
                Callers.Begin(Readers, i => GetAsync(client, $"read-{i % 20}")),
                Callers.Begin(Creators, _ => client.PostAsync(
                    new Uri("/luma/generations", UriKind.Relative), new StringContent("""{"prompt":"p"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken)),
                followers,
                waiters,
                Task.WhenAll([.. followers.Select(caller => caller.FollowAsync()), .. waiters.Select(caller => caller.AskAsync())]));
        }

        /// <summary>Finishes what is waited for; everybody is told, and nothing was lost.</summary>
        public async Task EndAsync(SandboxProcess sandbox, ITestOutputHelper output)
        {
            var (read, created) = (await reads.EndAsync(), await creates.EndAsync());
            await sandbox.MoveAsync(IdFor(balancer), "completed");
            await waiting;
            client.Dispose();
            output.WriteLine($"{balancer.Program}: reads {read}; creates {created}; followers sent on {followers.Sum(caller => caller.SentOn)} times");
            Assert.True(read.Failed == 0 && created.Failed == 0, string.Join('\n', balancer.Complaints));
            Assert.Equal(read.Count, read.With(status => status is 200));
            Assert.Equal(created.Count, created.With(status => status is 200));
            Assert.Empty(followers.Concat(waiters).SelectMany(caller => caller.Drops));
            Assert.True(followers.Sum(caller => caller.SentOn) > 0, $"{balancer.Program}: no follower was on a replica that stopped.");
        }

        private static string IdFor(BalancerProcess balancer) => $"waited-for-behind-{balancer.Program}";
    }
}
