using System.Net;
using System.Text;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>Three replicas behind nginx and HAProxy with the configuration files of infra/, under 300 requests a second. Needs redis-server or Garnet, nginx and haproxy.</summary>
public sealed class BalancerLoadTests(ITestOutputHelper output)
{
    private const int PerSecond = 300;
    private const int CreatesPerSecond = 5;

    /// <summary>The number of event streams, and of long polls, through each balancer.</summary>
    private const int Waiters = 200;

    /// <summary>Longer than nginx keeps an idle connection to a gateway. Shorter than the default, because the test waits for it three times.</summary>
    private static readonly (string, string) ShutdownDelay = ("Server:ShutdownDelay", "00:00:04");

    [Fact]
    public async Task A_rolling_restart_fails_no_request_and_drops_no_waiter()
    {
        await using var system = await BalancedReplicaGroup.StartAsync(ShutdownDelay);
        var group = system.Group;
        var loads = new List<BalancerLoad>();
        foreach (var balancer in system.Balancers)
        {
            loads.Add(await BalancerLoad.StartAsync(balancer, group.Sandbox));
        }

        await Wait.ForAsync(TimeSpan.FromSeconds(20));
        var stops = new List<TimeSpan>();
        foreach (var replica in group.Replicas.ToList())
        {
            var started = TimeProvider.System.GetTimestamp();
            replica.Process.Terminate();
            Assert.Equal(0, await replica.Process.WaitForExitAsync());
            stops.Add(TimeProvider.System.GetElapsedTime(started));
            await group.ReplaceAsync(replica);
            await Wait.ForAsync(TimeSpan.FromSeconds(10)); // until the balancers use the replica again
        }

        foreach (var load in loads)
        {
            await load.StopAsync(group.Sandbox, output);
        }

        output.WriteLine($"the slowest of {stops.Count} replicas stopped {stops.Max().TotalSeconds:0.0} s after SIGTERM, of which 4 s are its delay");
        Assert.All(loads, load => load.AssertNoFailures());
        Assert.All(loads, load => Assert.True(load.Reconnects > 0, $"{load.Name}: no waiter was connected to a stopped replica."));
    }

    [Fact]
    public async Task A_killed_replica_fails_no_read_and_is_ejected()
    {
        await using var system = await BalancedReplicaGroup.StartAsync();
        var group = system.Group;
        await group.Sandbox.SetStateAsync("read", "completed");
        var loads = system.Balancers.Select(balancer => (Balancer: balancer, Client: balancer.CreateClient())).ToList();
        var reads = loads.Select(load => SteadyLoad.Start(PerSecond, _ => GetAsync(load.Client, "read"))).ToList();
        await group.Sandbox.SetStateAsync("awaited", "processing");
        var callers = loads.SelectMany(load => Enumerable.Range(0, 6).Select(_ => new WaitingCaller(load.Client, "awaited"))).ToList();
        var waits = callers.Select(caller => caller.PollUntilCompletedAsync()).ToList();
        await Wait.ForAsync(TimeSpan.FromSeconds(1));

        var killedReplica = group.Replicas[1];
        var killed = TimeProvider.System.GetTimestamp();
        killedReplica.Process.KillAlone();
        var times = await Task.WhenAll(loads.Select(async load =>
        {
            await WaitForEjectionAsync(load.Balancer);
            return TimeProvider.System.GetElapsedTime(killed);
        }));
        await Wait.ForAsync(TimeSpan.FromSeconds(30));
        await group.ReplaceAsync(killedReplica);
        await Wait.ForAsync(TimeSpan.FromSeconds(10));
        await group.Sandbox.SetStateAsync("awaited", "completed");
        await Task.WhenAll(waits);

        for (var i = 0; i < loads.Count; i++)
        {
            var figures = await reads[i].StopAsync();
            output.WriteLine($"{loads[i].Balancer.Program}: {figures}; ejected {times[i].TotalMilliseconds:0} ms after SIGKILL (goal 2000 ms)");
            Assert.Equal(figures.Count, figures.With(status => status is 200));
            loads[i].Client.Dispose();
        }

        Assert.All(callers, caller => Assert.Empty(caller.Failures));
    }

    [Fact]
    public async Task Long_polls_and_idle_event_streams_stay_open()
    {
        var wait = TimeSpan.FromSeconds(50); // Waiting:Longest
        await using var system = await BalancedReplicaGroup.StartAsync(("Waiting:Heartbeat", "00:00:01"));
        var sandbox = system.Group.Sandbox;
        await Task.WhenAll(system.Group.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        await sandbox.SetStateAsync("streamed", "processing");
        await sandbox.SetStateAsync("waited-for", "processing");
        await Task.WhenAll(system.Balancers.SelectMany(balancer => new[]
        {
            StreamAsync(balancer, balancer.Address, HttpVersion.Version11),
            StreamAsync(balancer, balancer.SecureAddress, HttpVersion.Version20),
            WaitAsync(balancer, balancer.Address, HttpVersion.Version11),
            WaitAsync(balancer, balancer.SecureAddress, HttpVersion.Version20),
        }));

        async Task StreamAsync(BalancerProcess balancer, Uri address, Version version)
        {
            using var client = balancer.CreateClient(address, version);
            var started = TimeProvider.System.GetTimestamp();
            using var request = Request("streamed/events", version);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            await using var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            var buffer = new byte[4096];
            var text = new StringBuilder();
            TimeSpan? first = null;
            var heartbeats = new List<TimeSpan>();
            while (TimeProvider.System.GetElapsedTime(started) < wait)
            {
                var length = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
                Assert.True(length > 0, $"{balancer.Program} closed the stream.");
                var piece = Encoding.UTF8.GetString(buffer, 0, length);
                var at = TimeProvider.System.GetElapsedTime(started);
                text.Append(piece);
                first ??= text.ToString().Contains("event: generation", StringComparison.Ordinal) ? at : null;
                if (piece is ":\n\n" && first is not null)
                {
                    heartbeats.Add(at);
                }
            }

            var longest = heartbeats.Zip(heartbeats.Skip(1), (one, next) => next - one).DefaultIfEmpty().Max();
            output.WriteLine($"{balancer.Program}, HTTP/{version}: first event after {first?.TotalMilliseconds:0} ms, {heartbeats.Count} heartbeats in {wait.TotalSeconds:0} s, at most {longest.TotalSeconds:0.0} s apart (goal 1.0 s)");
            Assert.NotNull(first);
            Assert.NotEmpty(heartbeats);
        }

        async Task WaitAsync(BalancerProcess balancer, Uri address, Version version)
        {
            using var client = balancer.CreateClient(address, version);
            using var request = Request("waited-for", version);
            request.Headers.TryAddWithoutValidation("Prefer", $"wait={wait.TotalSeconds:0}");
            var started = TimeProvider.System.GetTimestamp();
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            output.WriteLine($"{balancer.Program}, HTTP/{version}: a long poll of {wait.TotalSeconds:0} s returned after {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    private static HttpRequestMessage Request(string path, Version version) =>
        new(HttpMethod.Get, $"/generations/{path}") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string id) =>
        client.GetAsync(new Uri($"/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);

    private static Task WaitForEjectionAsync(BalancerProcess balancer) => Wait.UntilAsync(
        () => balancer.Log.Any(line => line.Contains(balancer.EjectionMessage, StringComparison.Ordinal)),
        () => $"{balancer.Program} does not eject the replica.\n{string.Join('\n', balancer.Log.TakeLast(20))}");

    /// <summary>The load through one balancer: reads and creates at a steady rate, event streams and long polls.</summary>
    private sealed class BalancerLoad(BalancerProcess balancer, HttpClient client, SteadyLoad reads, SteadyLoad creates, List<WaitingCaller> callers, Task waiting)
    {
        private Figures _reads = new();
        private Figures _creates = new();

        public string Name => balancer.Program;

        public int Reconnects => callers.Sum(caller => caller.Reconnects);

        public static async Task<BalancerLoad> StartAsync(BalancerProcess balancer, SandboxProcess sandbox)
        {
            var client = balancer.CreateClient();
            for (var i = 0; i < 20; i++)
            {
                await sandbox.SetStateAsync($"read-{i}", "completed");
            }

            await sandbox.SetStateAsync(IdFor(balancer), "processing");
            var streams = Enumerable.Range(0, Waiters).Select(_ => new WaitingCaller(client, IdFor(balancer))).ToList();
            var waits = Enumerable.Range(0, Waiters).Select(_ => new WaitingCaller(client, IdFor(balancer))).ToList();
            return new BalancerLoad(
                balancer,
                client,
                SteadyLoad.Start(PerSecond - CreatesPerSecond, i => GetAsync(client, $"read-{i % 20}")),
                SteadyLoad.Start(CreatesPerSecond, _ => client.PostAsync(
                    new Uri("/luma/generations", UriKind.Relative), new StringContent("""{"prompt":"p"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken)),
                [.. streams, .. waits],
                Task.WhenAll([.. streams.Select(caller => caller.StreamUntilCompletedAsync()), .. waits.Select(caller => caller.PollUntilCompletedAsync())]));
        }

        /// <summary>Completes the generation and waits until every waiter has its final state.</summary>
        public async Task StopAsync(SandboxProcess sandbox, ITestOutputHelper output)
        {
            (_reads, _creates) = (await reads.StopAsync(), await creates.StopAsync());
            await sandbox.SetStateAsync(IdFor(balancer), "completed");
            await waiting;
            client.Dispose();
            output.WriteLine($"{Name}: reads {_reads}");
            output.WriteLine($"{Name}: creates {_creates}");
            output.WriteLine($"{Name}: {callers.Count} waiters, {Reconnects} reconnects, failures {callers.Sum(caller => caller.Failures.Count)}");
        }

        public void AssertNoFailures()
        {
            Assert.Equal((_reads.Count, _creates.Count), (_reads.With(status => status is 200), _creates.With(status => status is >= 200 and < 300)));
            Assert.NotEqual(0, _creates.Count);
            Assert.Empty(callers.SelectMany(caller => caller.Failures));
        }

        private static string IdFor(BalancerProcess balancer) => $"waited-for-behind-{balancer.Program}";
    }
}
