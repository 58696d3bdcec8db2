using System.Net;
using System.Text;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>Three replicas behind the real nginx and the real HAProxy, both with the files of infra/, under 300 requests a second. Needs redis-server or Garnet, nginx and haproxy.</summary>
public sealed class BalancerLoadTests(ITestOutputHelper output)
{
    private const int PerSecond = 300;
    private const int CreatesPerSecond = 5;

    /// <summary>Callers of each kind that wait behind each balancer.</summary>
    private const int Waiters = 200;

    /// <summary>Longer than nginx keeps an idle connection to a gateway, shorter than the default, as this is waited for three times.</summary>
    private static readonly (string, string) ShutdownDelay = ("Server:ShutdownDelay", "00:00:04");

    [Fact]
    public async Task A_rolling_restart_fails_no_request_and_drops_no_waiter()
    {
        await using var system = await BalancedReplicaGroup.StartAsync(ShutdownDelay);
        var group = system.Group;
        var sides = new List<Side>();
        foreach (var balancer in system.Balancers)
        {
            sides.Add(await Side.BeginAsync(balancer, group.Sandbox));
        }

        await Wait.ForAsync(TimeSpan.FromSeconds(20));
        var stops = new List<TimeSpan>();
        foreach (var replica in group.Replicas.ToList())
        {
            var begun = TimeProvider.System.GetTimestamp();
            replica.Process.Terminate();
            Assert.Equal(0, await replica.Process.WaitForExitAsync());
            stops.Add(TimeProvider.System.GetElapsedTime(begun));
            await group.ReplaceAsync(replica);
            await Wait.ForAsync(TimeSpan.FromSeconds(10)); // the balancers take it in again
        }

        foreach (var side in sides)
        {
            await side.EndAsync(group.Sandbox, output);
        }

        output.WriteLine($"the slowest of {stops.Count} replicas stopped {stops.Max().TotalSeconds:0.0} s after SIGTERM, of which 4 s are its delay");
        Assert.All(sides, side => side.HasLostNothing());
        Assert.All(sides, side => Assert.True(side.Reconnects > 0, $"{side.Name}: no waiter was on a replica that stopped."));
    }

    [Fact]
    public async Task A_replica_that_is_killed_fails_no_read_and_is_soon_asked_no_more()
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

        var victim = group.Replicas[1];
        var killed = TimeProvider.System.GetTimestamp();
        victim.Process.KillAlone();
        var times = await Task.WhenAll(loads.Select(async load =>
        {
            await EjectedAsync(load.Balancer);
            return TimeProvider.System.GetElapsedTime(killed);
        }));
        await Wait.ForAsync(TimeSpan.FromSeconds(30));
        await group.ReplaceAsync(victim);
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
    public async Task Long_waits_and_silent_event_streams_pass_uncut()
    {
        var wait = TimeSpan.FromSeconds(50); // Waiting:Longest
        await using var system = await BalancedReplicaGroup.StartAsync(("Waiting:Heartbeat", "00:00:01"));
        var sandbox = system.Group.Sandbox;
        await Task.WhenAll(system.Group.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        await sandbox.SetStateAsync("watched", "processing");
        await sandbox.SetStateAsync("waited-for", "processing");
        await Task.WhenAll(system.Balancers.SelectMany(balancer => new[]
        {
            WatchAsync(balancer, balancer.Address, HttpVersion.Version11),
            WatchAsync(balancer, balancer.SecureAddress, HttpVersion.Version20),
            WaitAsync(balancer, balancer.Address, HttpVersion.Version11),
            WaitAsync(balancer, balancer.SecureAddress, HttpVersion.Version20),
        }));

        async Task WatchAsync(BalancerProcess balancer, Uri address, Version version)
        {
            using var client = balancer.CreateClient(address, version);
            var begun = TimeProvider.System.GetTimestamp();
            using var request = Request("watched/events", version);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            var buffer = new byte[4096];
            var text = new StringBuilder();
            TimeSpan? first = null;
            var beats = new List<TimeSpan>();
            while (TimeProvider.System.GetElapsedTime(begun) < wait)
            {
                var length = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
                Assert.True(length > 0, $"{balancer.Program} cut the stream.");
                var piece = Encoding.UTF8.GetString(buffer, 0, length);
                var at = TimeProvider.System.GetElapsedTime(begun);
                text.Append(piece);
                first ??= text.ToString().Contains("event: generation", StringComparison.Ordinal) ? at : null;
                if (piece is ":\n\n" && first is not null)
                {
                    beats.Add(at);
                }
            }

            var longest = beats.Zip(beats.Skip(1), (one, next) => next - one).DefaultIfEmpty().Max();
            output.WriteLine($"{balancer.Program}, HTTP/{version}: first event after {first?.TotalMilliseconds:0} ms, {beats.Count} heartbeats in {wait.TotalSeconds:0} s, at most {longest.TotalSeconds:0.0} s apart (goal 1.0 s)");
            Assert.NotNull(first);
            Assert.NotEmpty(beats);
        }

        async Task WaitAsync(BalancerProcess balancer, Uri address, Version version)
        {
            using var client = balancer.CreateClient(address, version);
            using var request = Request("waited-for", version);
            request.Headers.TryAddWithoutValidation("Prefer", $"wait={wait.TotalSeconds:0}");
            var begun = TimeProvider.System.GetTimestamp();
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            output.WriteLine($"{balancer.Program}, HTTP/{version}: a wait of {wait.TotalSeconds:0} s was answered after {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:0.0} s");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    private static HttpRequestMessage Request(string path, Version version) =>
        new(HttpMethod.Get, $"/generations/{path}") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string id) =>
        client.GetAsync(new Uri($"/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);

    private static Task EjectedAsync(BalancerProcess balancer) => Wait.UntilAsync(
        () => balancer.Log.Any(line => line.Contains(balancer.EjectionMessage, StringComparison.Ordinal)),
        () => $"{balancer.Program} goes on asking it.\n{string.Join('\n', balancer.Log.TakeLast(20))}");

    /// <summary>All that goes on through one balancer: reads and creates at a steady rate, and callers that wait.</summary>
    private sealed class Side(BalancerProcess balancer, HttpClient client, SteadyLoad reads, SteadyLoad creates, List<WaitingCaller> callers, Task waiting)
    {
        private Figures _reads = new();
        private Figures _creates = new();

        public string Name => balancer.Program;

        public int Reconnects => callers.Sum(caller => caller.Reconnects);

        public static async Task<Side> BeginAsync(BalancerProcess balancer, SandboxProcess sandbox)
        {
            var client = balancer.CreateClient();
            for (var i = 0; i < 20; i++)
            {
                await sandbox.SetStateAsync($"read-{i}", "completed");
            }

            await sandbox.SetStateAsync(IdFor(balancer), "processing");
            var streams = Enumerable.Range(0, Waiters).Select(_ => new WaitingCaller(client, IdFor(balancer))).ToList();
            var waits = Enumerable.Range(0, Waiters).Select(_ => new WaitingCaller(client, IdFor(balancer))).ToList();
            return new Side(
                balancer,
                client,
                SteadyLoad.Start(PerSecond - CreatesPerSecond, i => GetAsync(client, $"read-{i % 20}")),
                SteadyLoad.Start(CreatesPerSecond, _ => client.PostAsync(
                    new Uri("/luma/generations", UriKind.Relative), new StringContent("""{"prompt":"p"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken)),
                [.. streams, .. waits],
                Task.WhenAll([.. streams.Select(caller => caller.StreamUntilCompletedAsync()), .. waits.Select(caller => caller.PollUntilCompletedAsync())]));
        }

        /// <summary>Finishes what is waited for, and sees to it that everybody is told.</summary>
        public async Task EndAsync(SandboxProcess sandbox, ITestOutputHelper output)
        {
            (_reads, _creates) = (await reads.StopAsync(), await creates.StopAsync());
            await sandbox.SetStateAsync(IdFor(balancer), "completed");
            await waiting;
            client.Dispose();
            output.WriteLine($"{Name}: reads {_reads}");
            output.WriteLine($"{Name}: creates {_creates}");
            output.WriteLine($"{Name}: {callers.Count} waiters, sent on {Reconnects} times, dropped {callers.Sum(caller => caller.Failures.Count)}");
        }

        public void HasLostNothing()
        {
            Assert.Equal((_reads.Count, _creates.Count), (_reads.With(status => status is 200), _creates.With(status => status is >= 200 and < 300)));
            Assert.NotEqual(0, _creates.Count);
            Assert.Empty(callers.SelectMany(caller => caller.Failures));
        }

        private static string IdFor(BalancerProcess balancer) => $"waited-for-behind-{balancer.Program}";
    }
}
