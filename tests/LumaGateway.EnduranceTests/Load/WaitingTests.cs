using System.Globalization;

namespace LumaGateway.EnduranceTests.Load;

/// <summary>Long polls and event streams on replicas with one Redis: their cost and the detection lag. Needs redis-server or Garnet.</summary>
public sealed class WaitingTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Thousands_of_waiters_on_one_id_share_one_poll_and_complete_together()
    {
        const int Callers = 3000;
        var length = TimeSpan.FromSeconds(10);
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);
        const string Id = "waited-for";
        await group.Sandbox.SetStateAsync(Id, "processing");

        var waiters = await ConnectAsync(Callers, i => (group.Replicas[i % 3].Address, $"/generations/{Id}", "wait=50"));
        var completions = Task.WhenAll(waiters.Select(waiter => waiter.UntilAsync("completed")));
        await Wait.ForAsync(length);
        var completed = TimeProvider.System.GetUtcNow();
        await group.Sandbox.SetStateAsync(Id, "completed");
        var lags = (await completions).Select(at => at!.Value - completed).Order().ToList();

        var upstreamRequests = await group.Sandbox.CountAsync(Id);
        output.WriteLine($"{Callers} waiters on one id: {Goal.Of(upstreamRequests, length.TotalSeconds, "upstream requests")} in {length.TotalSeconds + lags[^1].TotalSeconds:0} s; first completed after {Waiter.Milliseconds(lags[0])}, last after {Goal.Of(lags[^1], TimeSpan.FromSeconds(4))}");
        Assert.Equal(Callers, lags.Count);
        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Theory]
    [InlineData("relay", -8)]
    [InlineData("relay", 8)]
    [InlineData("relay", 0)]
    [InlineData("dream-machine", 0)]
    public async Task Generations_that_complete_at_random_times_are_detected_soon(string dialect, int clockOffsetHours)
    {
        const int Count = 1000;
        var span = TimeSpan.FromSeconds(40);
        await using var redis = await RedisServer.StartAsync();
        await using var sandbox = await SandboxProcess.StartAsync($"--Sandbox:ClockOffset={TimeSpan.FromHours(clockOffsetHours)}");
        await using var group = await ReplicaGroup.StartAsync(sandbox, 0, redis.Endpoint);
        var root = new Uri(group.Sandbox.Address, dialect is "relay" ? "luma" : "dream-machine/v1").AbsoluteUri;
        for (var i = 0; i < 3; i++)
        {
            // All callers connect at once: their first reads wait for the upstream, and none is refused.
            await group.AddAsync(
                ("Luma:BaseAddress", root), ("Luma:Dialect", dialect), ("Luma:MaxPollsPerSecond", "1000"), ("Limits:Upstream:Queue", "10000"), ("Limits:Upstream:QueueTimeout", "00:00:30"));
        }

        var random = new Random(1);
        var started = TimeProvider.System.GetTimestamp();
        var ends = new Dictionary<string, DateTimeOffset>();
        for (var i = 0; i < Count; i++)
        {
            var id = $"run-{5000 + random.Next((int)span.TotalMilliseconds)}ms-g{i}";
            ends[id] = await group.Sandbox.EndTimeAsync(id);
        }

        var ids = ends.Keys.SelectMany(id => new[] { id, id }).ToList();
        var waiters = await ConnectAsync(ids.Count, i => (group.Replicas[i % 3].Address, $"/generations/{ids[i]}/events", null));
        await group.Sandbox.ResetCountsAsync();
        var (counting, connected) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetUtcNow());
        var completions = await Task.WhenAll(waiters.Select(waiter => waiter.UntilAsync("completed")));
        Assert.Equal(0, completions.Count(at => at is null)); // no stream ended before the final event
        var lags = completions.Select((at, i) => (At: at!.Value, End: ends[ids[i]])).Where(one => one.End > connected).Select(one => one.At - one.End).Order().ToList();

        var elapsed = TimeProvider.System.GetElapsedTime(counting);
        var total = (await group.Sandbox.CountsAsync()).Total;
        var (p50, p99) = (lags[lags.Count / 2], lags[lags.Count * 99 / 100]);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{dialect}, created_at {clockOffsetHours:+0;-0;0} h off: {Count} generations × 2 waiters over {span.TotalSeconds:0} s: lag p50 {p50.TotalMilliseconds:0} ms, p99 {Goal.Of(p99, TimeSpan.FromSeconds(2.5))}, longest {lags[^1].TotalMilliseconds:0} ms (connected in {TimeProvider.System.GetElapsedTime(started, counting).TotalSeconds:0.0} s)"));
        output.WriteLine($"  {total} upstream requests, {Goal.Of(total / elapsed.TotalSeconds, dialect is "relay" ? Count / 2.0 : Count * 6 / 1000.0, "a second")}");
        Assert.NotEmpty(lags);
        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task When_a_replica_is_killed_the_others_continue_polling()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint);
        const string Id = "polled-by-others";
        await group.Sandbox.SetStateAsync(Id, "processing");
        using var first = await Waiter.ConnectAsync(group.Replicas[0].Address, $"/generations/{Id}", "wait=50");
        var others = await ConnectAsync(2, i => (group.Replicas[1 + i].Address, $"/generations/{Id}", "wait=50"));
        await Wait.ForAsync(TimeSpan.FromSeconds(5));

        group.Replicas[0].Process.Kill();
        var killed = TimeProvider.System.GetUtcNow();
        await group.Sandbox.ResetCountsAsync();
        await Wait.UntilAsync(async () => await group.Sandbox.CountAsync(Id) > 0, TimeSpan.FromSeconds(60), () => "No replica polls.");
        var silence = TimeProvider.System.GetUtcNow() - killed;
        await Wait.ForAsync(TimeSpan.FromSeconds(6));
        var upstreamRequests = await group.Sandbox.CountAsync(Id);
        await group.Sandbox.SetStateAsync(Id, "completed");
        var completions = await Task.WhenAll(others.Select(waiter => waiter.UntilAsync("completed")));

        output.WriteLine($"time without a poll after SIGKILL of a replica: {Goal.Of(silence, TimeSpan.FromSeconds(3))}; {Goal.Of(upstreamRequests, 5, "upstream requests")} in the 6 s after it");
        Assert.All(completions, at => Assert.NotNull(at));
        others.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task Idle_streams_use_little_memory()
    {
        const int Count = 10_000;
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(1, redis.Endpoint, ("DOTNET_gcServer", Environment.GetEnvironmentVariable("DOTNET_gcServer") ?? "0")); // the server GC keeps extra memory for each core
        var replica = group.Replicas[0];
        for (var i = 0; i < 100; i++)
        {
            await group.Sandbox.SetStateAsync($"idle{i}", "processing");
        }

        using (var warmUp = await Waiter.ConnectAsync(replica.Address, "/generations/idle0/events"))
        {
            await warmUp.UntilAsync("processing");
        }

        var before = MemoryOf(replica);
        var waiters = await ConnectAsync(Count, i => (replica.Address, $"/generations/idle{i % 100}/events", null));
        await Task.WhenAll(waiters.Select(waiter => waiter.UntilAsync("processing")));
        await Wait.ForAsync(TimeSpan.FromSeconds(35)); // two heartbeats
        var each = (MemoryOf(replica) - before) / Count;

        output.WriteLine($"{Count} idle streams on one replica: {Goal.Of(each / 1024.0, 20, "KiB of resident memory each")} ({before / 1024 / 1024} MiB before)");
        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Fact]
    public async Task Forged_callbacks_cause_no_polls_beyond_the_minimum_interval()
    {
        var span = TimeSpan.FromSeconds(15);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "secret-of-the-system-tests", TestContext.Current.CancellationToken);
        await using var redis = await RedisServer.StartAsync();
        await using var group = await ReplicaGroup.StartAsync(3, redis.Endpoint, ("Callbacks:SecretFile", file));
        await group.Sandbox.SetStateAsync("polled", "processing");
        var waiters = await ConnectAsync(3, i => (group.Replicas[i].Address, "/generations/polled", "wait=50"));
        await Wait.ForAsync(TimeSpan.FromSeconds(3));
        await group.Sandbox.ResetCountsAsync();

        var callbacks = SteadyLoad.Start(1000, i => group.Replicas[i % 3].Client.PostAsync(
            new Uri("/callbacks/luma/secret-of-the-system-tests", UriKind.Relative),
            new StringContent(i % 2 == 0 ? """{"id":"polled","state":"completed"}""" : $$"""{"id":"other{{i}}"}"""),
            TestContext.Current.CancellationToken));
        await Wait.ForAsync(span);
        var figures = await callbacks.StopAsync();
        var counts = await group.Sandbox.CountsAsync();

        output.WriteLine($"forged callbacks: {figures}; {Goal.Of(counts.Total, span.TotalSeconds + 2, "upstream requests")} in {span.TotalSeconds:0} s");
        Assert.Equal(figures.Count, figures.With(status => status is 204));
        Assert.Equal(counts.Total, counts.ById["polled"]);
        Assert.NotEqual(0, figures.Count);
        waiters.ForEach(waiter => waiter.Dispose());
        File.Delete(file);
    }

    [Fact]
    public async Task A_stopping_replica_ends_its_event_streams_at_once()
    {
        const int Callers = 1000;
        await using var group = await ReplicaGroup.StartAsync(1, redis: null);
        const string Id = "streamed";
        await group.Sandbox.SetStateAsync(Id, "processing");
        var waiters = await ConnectAsync(Callers, _ => (group.Replicas[0].Address, $"/generations/{Id}/events", null));
        await Task.WhenAll(waiters.Select(waiter => waiter.UntilAsync("processing")));

        var started = TimeProvider.System.GetTimestamp();
        group.Replicas[0].Process.Terminate();
        var last = await Task.WhenAll(waiters.Select(waiter => waiter.ReadAsync()));
        var exit = await group.Replicas[0].Process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        var elapsed = TimeProvider.System.GetElapsedTime(started);

        output.WriteLine($"stopped with {Callers} streams in {Goal.Of(elapsed, TimeSpan.FromSeconds(10))}");
        Assert.Equal(0, exit);
        Assert.All(last, text => Assert.Contains("retry: ", text, StringComparison.Ordinal));
        waiters.ForEach(waiter => waiter.Dispose());
    }

    [Theory]
    [InlineData("down")]
    [InlineData("slow")]
    public async Task Without_a_usable_Redis_each_replica_polls(string fault)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = FaultProxy.To(redis.Port);
        await using var group = await ReplicaGroup.StartAsync(2, proxy.Endpoint);
        const string Id = "polled";
        await group.Sandbox.SetStateAsync(Id, "processing");
        var waiters = await ConnectAsync(2, i => (group.Replicas[i].Address, $"/generations/{Id}", "wait=50"));
        await Wait.ForAsync(TimeSpan.FromSeconds(3));

        if (fault is "down")
        {
            redis.Kill();
        }
        else
        {
            proxy.Delay = TimeSpan.FromSeconds(3);
        }

        await Wait.ForAsync(TimeSpan.FromSeconds(5));
        await group.Sandbox.ResetCountsAsync();
        await Wait.ForAsync(TimeSpan.FromSeconds(6));
        var upstreamRequests = await group.Sandbox.CountAsync(Id);
        var completed = TimeProvider.System.GetUtcNow();
        await group.Sandbox.SetStateAsync(Id, "completed");
        var lags = (await Task.WhenAll(waiters.Select(waiter => waiter.UntilAsync("completed")))).Select(at => at!.Value - completed).Order().ToList();

        output.WriteLine($"Redis {fault}: {Goal.Of(upstreamRequests, 8, "upstream requests")} in 6 s on two replicas; last completed after {Goal.Of(lags[^1], TimeSpan.FromSeconds(5))}");
        Assert.NotEqual(0, upstreamRequests);
        waiters.ForEach(waiter => waiter.Dispose());
    }

    private static async Task<List<Waiter>> ConnectAsync(int count, Func<int, (Uri Replica, string Path, string? Prefer)> caller)
    {
        var waiters = new List<Waiter>(count);
        foreach (var batch in Enumerable.Range(0, count).Chunk(100))
        {
            waiters.AddRange(await Task.WhenAll(batch.Select(i =>
            {
                var (replica, path, prefer) = caller(i);
                return Waiter.ConnectAsync(replica, path, prefer);
            })));
        }

        return waiters;
    }

    private static long MemoryOf(GatewayProcess replica)
    {
        var line = File.ReadLines($"/proc/{replica.Process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }
}
