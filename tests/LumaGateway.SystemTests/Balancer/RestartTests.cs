using System.Text;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>
/// Restarts and crashes of replicas behind nginx and HAProxy with the files of infra/. Needs nginx, haproxy, and redis-server or Garnet. Slow: a stopping replica
/// serves until the balancers notice it, and nginx tries a failed one again after two seconds.
/// </summary>
public sealed class RestartTests(ITestOutputHelper output)
{
    private const int Readers = 3;
    private const int Creators = 6;
    private const int Waiters = 5;

    /// <summary>Longer than the keep-alive of nginx: one second in this suite.</summary>
    private static readonly (string, string) ShutdownDelay = ("Server:ShutdownDelay", "00:00:03");

    [Fact]
    public async Task A_rolling_restart_fails_no_request_and_no_wait()
    {
        await using var system = await BalancedReplicaGroup.StartAsync(ShutdownDelay);
        var group = system.Group;
        var loads = await Task.WhenAll(system.Balancers.Select(balancer => Load.StartAsync(balancer, group.Sandbox)));
        await Task.WhenAll(system.Balancers.Select(balancer => balancer.WaitForAllGatewaysAsync()));

        foreach (var replica in group.Replicas.ToList())
        {
            replica.Process.Terminate();
            Assert.Equal(0, await replica.Process.WaitForExitAsync());
            await group.ReplaceAsync(replica);
            await Task.WhenAll(system.Balancers.Select(balancer => balancer.WaitForAllGatewaysAsync()));
        }

        foreach (var load in loads)
        {
            await load.StopAsync(group.Sandbox, output);
        }
    }

    [Fact]
    public async Task A_killed_replica_fails_no_read_and_gets_no_requests_until_its_restart()
    {
        await using var system = await BalancedReplicaGroup.StartAsync();
        var group = system.Group;
        await group.Sandbox.SetStateAsync("read", "completed");
        await group.Sandbox.SetStateAsync("awaited", "processing");
        var clients = system.Balancers.Select(balancer => balancer.CreateClient()).ToList();
        var reads = clients.Select(client => Callers.Start(Readers, _ => GetAsync(client, "read"))).ToList();
        var waiters = clients.SelectMany(client => Enumerable.Range(0, Waiters).Select(_ => new WaitingCaller(client, "awaited"))).ToList();
        var waits = Task.WhenAll(waiters.Select(waiter => waiter.PollUntilCompletedAsync()));
        await Task.WhenAll(system.Balancers.Select(balancer => balancer.WaitForAllGatewaysAsync()));
        await Wait.UntilAsync(async () => await group.Sandbox.CountAsync("awaited") > 0, () => "No wait started.");

        var killed = group.Replicas[1];
        killed.Process.Kill();
        await Task.WhenAll(system.Balancers.Select(balancer => Wait.UntilAsync(
            () => balancer.Log.Any(line => line.Contains(balancer.EjectionMessage, StringComparison.Ordinal)),
            () => $"{balancer.Program} does not eject it.\n{string.Join('\n', balancer.Log.TakeLast(20))}")));
        await Task.WhenAll(reads.Select(read => read.WaitForResponsesAsync(50)));
        await group.ReplaceAsync(killed);
        await Task.WhenAll(system.Balancers.Select(balancer => balancer.WaitForAllGatewaysAsync()));
        await group.Sandbox.SetStateAsync("awaited", "completed");
        await waits;

        foreach (var read in reads)
        {
            var figures = await read.StopAsync();
            Assert.True(figures.Failed == 0, string.Join('\n', system.Balancers.SelectMany(balancer => balancer.FailureLines)));
            Assert.Equal(figures.Count, figures.With(status => status is 200));
        }

        Assert.All(waiters, waiter => Assert.Empty(waiter.Failures));
        clients.ForEach(client => client.Dispose());
    }

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string id) =>
        client.GetAsync(new Uri($"/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);

    /// <summary>The load through one balancer: reads, creates, and callers that wait for one generation.</summary>
    private sealed class Load(BalancerProcess balancer, HttpClient client, Callers reads, Callers creates, List<WaitingCaller> streams, List<WaitingCaller> waiters, Task waiting)
    {
        public static async Task<Load> StartAsync(BalancerProcess balancer, SandboxProcess sandbox)
        {
            var client = balancer.CreateClient();
            for (var i = 0; i < 20; i++)
            {
                await sandbox.SetStateAsync($"read-{i}", "completed");
            }

            await sandbox.SetStateAsync(IdFor(balancer), "processing");
            var streams = Enumerable.Range(0, Waiters).Select(_ => new WaitingCaller(client, IdFor(balancer))).ToList();
            var waiters = Enumerable.Range(0, Waiters).Select(_ => new WaitingCaller(client, IdFor(balancer))).ToList();
            return new Load(
                balancer,
                client,
                Callers.Start(Readers, i => GetAsync(client, $"read-{i % 20}")),
                Callers.Start(Creators, _ => client.PostAsync(
                    new Uri("/luma/generations", UriKind.Relative), new StringContent("""{"prompt":"p"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken)),
                streams,
                waiters,
                Task.WhenAll([.. streams.Select(caller => caller.StreamUntilCompletedAsync()), .. waiters.Select(caller => caller.PollUntilCompletedAsync())]));
        }

        /// <summary>Completes the generation, and checks all callers.</summary>
        public async Task StopAsync(SandboxProcess sandbox, ITestOutputHelper output)
        {
            var (read, created) = (await reads.StopAsync(), await creates.StopAsync());
            await sandbox.SetStateAsync(IdFor(balancer), "completed");
            await waiting;
            client.Dispose();
            output.WriteLine($"{balancer.Program}: reads {read}; creates {created}; reconnects {streams.Sum(caller => caller.Reconnects)} times");
            Assert.True(read.Failed == 0 && created.Failed == 0, string.Join('\n', balancer.FailureLines));
            Assert.Equal(read.Count, read.With(status => status is 200));
            Assert.Equal(created.Count, created.With(status => status is 200));
            Assert.Empty(streams.Concat(waiters).SelectMany(caller => caller.Failures));
            Assert.True(streams.Sum(caller => caller.Reconnects) > 0, $"{balancer.Program}: no stream was on a stopping replica.");
        }

        private static string IdFor(BalancerProcess balancer) => $"waited-for-behind-{balancer.Program}";
    }
}
