using System.Net;
using System.Text;

namespace LumaGateway.SystemTests.Balancer;

/// <summary>Three replicas behind the real nginx and the real HAProxy, both with the files of infra/. Sizes are short in CI and full by hand.</summary>
[TestClass(DisableParallelization = true)]
public sealed class BalancerTests(ITestOutputHelper output)
{
    private const int PerSecond = 300;
    private const int CreatesPerSecond = 5;

    /// <summary>Longer than nginx keeps an idle connection to a gateway, shorter than the default, as this is waited for three times.</summary>
    private static readonly (string, string) ShutdownDelay = ("Server:ShutdownDelay", "00:00:04");

    [Fact]
    public async Task A_rolling_restart_under_load_fails_no_request_and_drops_no_waiter()
    {
        await using var system = await BalancedFleet.StartAsync(ShutdownDelay);
        var fleet = system.Fleet;
        var sides = new List<Side>();
        foreach (var balancer in system.Balancers)
        {
            sides.Add(await Side.BeginAsync(balancer, fleet.Sandbox, Size.Count(20, 200)));
        }

        await Wait.ForAsync(Size.Seconds(2, 20));
        var stops = new List<TimeSpan>();
        foreach (var replica in fleet.Replicas.ToList())
        {
            var begun = TimeProvider.System.GetTimestamp();
            replica.Process.Terminate();
            Assert.Equal(0, await replica.Process.WaitForExitAsync(TimeSpan.FromSeconds(40)));
            stops.Add(TimeProvider.System.GetElapsedTime(begun));
            await fleet.ReplaceAsync(replica);
            await Wait.ForAsync(Size.Seconds(2, 10)); // the balancers take it in again
        }

        foreach (var side in sides)
        {
            await side.EndAsync(fleet.Sandbox, output);
        }

        output.WriteLine($"each replica stopped within {stops.Max().TotalSeconds:0.0} s of SIGTERM");
        Assert.All(sides, side => side.HasLostNothing());
        Assert.All(sides, side => Assert.True(side.SentOn > 0, $"{side.Name}: no waiter was on a replica that stopped."));
    }

    [Fact]
    public async Task A_replica_that_is_killed_fails_no_read_and_is_soon_asked_no_more()
    {
        await using var system = await BalancedFleet.StartAsync();
        var fleet = system.Fleet;
        await fleet.Sandbox.MoveAsync("read", "completed");
        var loads = system.Balancers.Select(balancer => (Balancer: balancer, Client: balancer.CreateClient())).ToList();
        var reads = loads.Select(load => SteadyLoad.Begin(PerSecond, _ => GetAsync(load.Client, "read"))).ToList();
        await fleet.Sandbox.MoveAsync("awaited", "processing");
        var callers = loads.SelectMany(load => Enumerable.Range(0, 6).Select(_ => new PatientCaller(load.Client, "awaited"))).ToList();
        var waits = callers.Select(caller => caller.AskAsync()).ToList();
        await Wait.ForAsync(TimeSpan.FromSeconds(1));

        var victim = fleet.Replicas[1];
        var ejected = loads.Select(load => Ejected(load.Balancer)).ToList();
        var killed = TimeProvider.System.GetTimestamp();
        victim.Process.Kill();
        var times = await Task.WhenAll(ejected.Select(async wait => (await wait, TimeProvider.System.GetElapsedTime(killed)).Item2));
        await Wait.ForAsync(Size.Seconds(2, 30));
        await fleet.ReplaceAsync(victim);
        await Wait.ForAsync(Size.Seconds(2, 10));
        await fleet.Sandbox.MoveAsync("awaited", "completed");
        await Task.WhenAll(waits);

        for (var i = 0; i < loads.Count; i++)
        {
            var figures = await reads[i].EndAsync();
            output.WriteLine($"{loads[i].Balancer.Program}: {figures}; ejected {times[i].TotalMilliseconds:0} ms after SIGKILL");
            Assert.Equal(figures.Count, figures.With(status => status is 200));
            loads[i].Client.Dispose();
        }

        Assert.All(callers, caller => Assert.Empty(caller.Drops));
        Assert.All(times, time => Assert.True(time < TimeSpan.FromSeconds(2), $"It took {time}."));
    }

    [Fact]
    public async Task Callers_reach_the_gateway_as_themselves_over_HTTP_2_and_on_one_connection()
    {
        await using var system = await BalancedFleet.StartAsync();
        foreach (var balancer in system.Balancers)
        {
            foreach (var (address, version) in new[] { (balancer.Address, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version11), (balancer.SecureAddress, HttpVersion.Version20) })
            {
                var connections = 0;
                using var client = balancer.CreateClient(address, version, () => connections++, IPAddress.Parse("127.0.0.7"));
                client.DefaultRequestHeaders.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.9");
                for (var i = 0; i < 20; i++)
                {
                    using var purge = new HttpRequestMessage(HttpMethod.Delete, $"/generations/purged-{balancer.Program}/cache") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
                    using var answer = await client.SendAsync(purge, TestContext.Current.CancellationToken);
                    Assert.Equal((HttpStatusCode.NoContent, version), (answer.StatusCode, answer.Version));
                }

                Assert.Equal(1, connections);
            }

            var audited = system.Fleet.Replicas.SelectMany(replica => replica.Process.Output)
                .Where(line => line.Contains("used its right", StringComparison.Ordinal) && line.Contains($"purged-{balancer.Program}", StringComparison.Ordinal))
                .ToList();
            Assert.Equal(60, audited.Count);
            Assert.All(audited, line => Assert.Contains("system-tests at 127.0.0.7 used", line, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Waits_and_event_streams_pass_as_they_come()
    {
        await using var system = await BalancedFleet.StartAsync(("Waiting:Heartbeat", "00:00:01"));
        var sandbox = system.Fleet.Sandbox;
        await Task.WhenAll(system.Fleet.Replicas.Select(replica => replica.ReadAsync("done-warm")));
        await sandbox.MoveAsync("watched", "processing");
        await sandbox.MoveAsync("waited-for", "processing");
        var wait = Size.Seconds(3, 50);
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
            using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/watched/events") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            var buffer = new byte[4096];
            var text = new StringBuilder();
            TimeSpan? first = null;
            var beats = new List<TimeSpan>();
            while (TimeProvider.System.GetElapsedTime(begun) < wait && await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var length)
            {
                var piece = Encoding.UTF8.GetString(buffer, 0, length);
                var at = TimeProvider.System.GetElapsedTime(begun);
                text.Append(piece);
                first ??= text.ToString().Contains("event: generation", StringComparison.Ordinal) ? at : null;
                if (piece is ":\n\n" && first is not null)
                {
                    beats.Add(at);
                }
            }

            output.WriteLine($"{balancer.Program}, HTTP/{version}: first event after {first?.TotalMilliseconds:0} ms, heartbeats at {string.Join(", ", beats.Take(5).Select(beat => $"{beat.TotalSeconds:0.0} s"))}");
            Assert.True(first < TimeSpan.FromSeconds(2), $"The first event came after {first}.");
            Assert.InRange(beats.Count, (int)(wait.TotalSeconds / 2), (int)wait.TotalSeconds + 1);
        }

        async Task WaitAsync(BalancerProcess balancer, Uri address, Version version)
        {
            using var client = balancer.CreateClient(address, version);
            using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/waited-for") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Headers.TryAddWithoutValidation("Prefer", $"wait={wait.TotalSeconds:0}");
            var begun = TimeProvider.System.GetTimestamp();
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.InRange(TimeProvider.System.GetElapsedTime(begun), wait - TimeSpan.FromMilliseconds(300), wait + TimeSpan.FromSeconds(3));
        }
    }

    private static Task<HttpResponseMessage> GetAsync(HttpClient client, string id) =>
        client.GetAsync(new Uri($"/generations/{id}", UriKind.Relative), TestContext.Current.CancellationToken);

    private static Task<TimeSpan> Ejected(BalancerProcess balancer) => Wait.UntilAsync(
        () => balancer.Log.Any(line => line.Contains(balancer.Ejecting, StringComparison.Ordinal)),
        TimeSpan.FromSeconds(15),
        () => $"{balancer.Program} goes on asking it.\n{string.Join('\n', balancer.Log.TakeLast(20))}");

    /// <summary>All that goes on through one balancer: reads and creates at a steady rate, and callers that wait.</summary>
    private sealed class Side(BalancerProcess balancer, HttpClient client, SteadyLoad reads, SteadyLoad creates, List<PatientCaller> callers, Task waiting)
    {
        private Figures _reads = new();
        private Figures _creates = new();

        public string Name => balancer.Program;

        public int SentOn => callers.Sum(caller => caller.SentOn);

        public static async Task<Side> BeginAsync(BalancerProcess balancer, SandboxProcess sandbox, int waiters)
        {
            var client = balancer.CreateClient();
            for (var i = 0; i < 20; i++)
            {
                await sandbox.MoveAsync($"read-{i}", "completed");
            }

            await sandbox.MoveAsync(IdFor(balancer), "processing");
            var streams = Enumerable.Range(0, waiters).Select(_ => new PatientCaller(client, IdFor(balancer))).ToList();
            var waits = Enumerable.Range(0, waiters).Select(_ => new PatientCaller(client, IdFor(balancer))).ToList();
            return new Side(
                balancer,
                client,
                SteadyLoad.Begin(PerSecond - CreatesPerSecond, i => GetAsync(client, $"read-{i % 20}")),
                SteadyLoad.Begin(CreatesPerSecond, _ => client.PostAsync(
                    new Uri("/luma/generations", UriKind.Relative), new StringContent("""{"prompt":"p"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken)),
                [.. streams, .. waits],
                Task.WhenAll([.. streams.Select(caller => caller.FollowAsync()), .. waits.Select(caller => caller.AskAsync())]));
        }

        /// <summary>Finishes what is waited for, and sees to it that everybody is told.</summary>
        public async Task EndAsync(SandboxProcess sandbox, ITestOutputHelper output)
        {
            (_reads, _creates) = (await reads.EndAsync(), await creates.EndAsync());
            await sandbox.MoveAsync(IdFor(balancer), "completed");
            await waiting.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
            client.Dispose();
            output.WriteLine($"{Name}: reads {_reads}");
            output.WriteLine($"{Name}: creates {_creates}");
            output.WriteLine($"{Name}: {callers.Count} waiters, sent on {SentOn} times, dropped {callers.Sum(caller => caller.Drops.Count)}");
        }

        public void HasLostNothing()
        {
            Assert.Equal((_reads.Count, _creates.Count), (_reads.With(status => status is 200), _creates.With(status => status is >= 200 and < 300)));
            Assert.Empty(callers.SelectMany(caller => caller.Drops));
        }

        private static string IdFor(BalancerProcess balancer) => $"waited-for-behind-{balancer.Program}";
    }
}
