using LumaGateway.EnduranceTests.Chaos;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>All features under load for a long time. The default run is short; <c>tests/endurance soak --minutes 30</c> is a long one.</summary>
[TestClass(DisableParallelization = true)]
public sealed class SoakTests(ITestOutputHelper output)
{
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PrintEvery = TimeSpan.FromMinutes(5);

    /// <summary>Shorter runs do not reach a steady state.</summary>
    private static readonly TimeSpan MinLengthForGrowthCheck = TimeSpan.FromMinutes(3);

    private static readonly (string, string)[] Settings =
    [
        ("Cache:MemoryBytes", "2000000"), // small, so that the cache is full within minutes and its growth is not taken for a leak
        ("Assets:AllowHttp", "true"),
        ("Assets:AllowedNetworks:0", "127.0.0.0/8"),
    ];

    private readonly Findings _findings = new();

    [Fact]
    public async Task Resources_do_not_grow_under_load_and_are_released_afterwards()
    {
        RedisServer.Require();
        var options = SoakOptions.FromEnvironment();
        _findings.ViolationFound += (invariant, message) => output.WriteLine($"VIOLATED {invariant}: {message}");
        await using var system = await StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1000 });
        var sender = new RequestSender(system, new Faults(system, _findings, TimeProvider.System), new ResponseChecker(_findings), _findings, http, TimeProvider.System);
        await new Recovery(system, sender, _findings, http, TimeProvider.System).MeasureAsync(0);
        var idle = await SampleAsync(system, sender, http);

        var loads = StartLoads(options, sender, new OtherFeatures(sender, http), new Faults(system, new Findings(), TimeProvider.System));
        var samples = await CollectSamplesAsync(options, system, sender, http);
        foreach (var (kind, load) in loads)
        {
            var figures = await load.StopAsync();
            output.WriteLine($"{kind}: {figures}");
            Assert.Equal(0, figures.Failed);
        }

        Assert.Empty(_findings.ViolatedInvariants);
        if (options.Length >= MinLengthForGrowthCheck)
        {
            Assert.Empty(samples.SelectMany(GrowthCheck.FailureLines));
        }

        await AssertResourcesReleasedAsync(system, sender, http, idle);
    }

    private static Task<ChaosSystem> StartAsync() => ChaosSystem.StartAsync(settings: (sandbox, folder) =>
    {
        var secret = Path.Combine(folder, "callbacks");
        File.WriteAllText(secret, OtherFeatures.CallbackSecret);
        return [.. Settings, ("Assets:AllowedHosts:0", sandbox.Address.Authority), ("Callbacks:SecretFile", secret)];
    });

    private static List<(string Kind, SteadyLoad Load)> StartLoads(SoakOptions options, RequestSender sender, OtherFeatures features, Faults faults)
    {
        var creators = new Creators(sender, faults, new Findings(), "soak", TimeProvider.System);
        var readers = new Readers(sender, creators, "soak");
        return
        [
            ("reads", SteadyLoad.Start(options.Rate, readers.ReadAsync)),
            ("waits", SteadyLoad.Start(Share(20), readers.WaitAsync)),
            ("streams", SteadyLoad.Start(Share(20), readers.StreamAsync)),
            ("lists", SteadyLoad.Start(Share(30), readers.ListAsync)),
            ("creates", SteadyLoad.Start(Share(60), creators.CreateAsync)),
            ("files", SteadyLoad.Start(Share(30), features.DownloadAsync)),
            ("raw reads", SteadyLoad.Start(Share(30), features.PassThroughAsync)),
            ("callbacks", SteadyLoad.Start(Share(60), features.SendCallbackAsync)),
            ("metrics and status", SteadyLoad.Start(1, features.ReadManagementAsync)),
        ];

        int Share(int part) => Math.Max(1, options.Rate / part);
    }

    /// <summary>Returns the samples of each replica.</summary>
    private async Task<IReadOnlyList<IReadOnlyList<ResourceSample>>> CollectSamplesAsync(SoakOptions options, ChaosSystem system, RequestSender sender, HttpClient http)
    {
        var samples = new List<ResourceSample[]>();
        var (started, printed) = (sender.Now, TimeSpan.Zero);
        while (sender.Now - started is var passed && passed < options.Length)
        {
            await Wait.ForAsync(options.Length - passed < SampleEvery ? options.Length - passed : SampleEvery);
            samples.Add([.. (await SampleAsync(system, sender, http)).Select(sample => sample with { At = sample.At - started })]);
            if (samples.Count == 1 || samples[^1][0].At >= printed + PrintEvery || samples[^1][0].At >= options.Length)
            {
                printed = samples.Count == 1 ? TimeSpan.Zero : samples[^1][0].At;
                output.WriteLine(string.Join('\n', samples[^1].Select((sample, replica) => $"replica {replica}, {sample}")));
            }
        }

        return [.. Enumerable.Range(0, system.Replicas.Count).Select(replica => samples.Select(sample => sample[replica]).ToList())];
    }

    /// <summary>Waits until all waiters and the connections of callers are closed. Pooled connections to Redis, the upstream and the CDN may stay open for a minute.</summary>
    private static async Task AssertResourcesReleasedAsync(ChaosSystem system, RequestSender sender, HttpClient http, ResourceSample[] idle)
    {
        const int Pooled = 40;
        ResourceSample[] current = idle;
        await Wait.UntilAsync(
            async () =>
            {
                current = await SampleAsync(system, sender, http);
                return current.Zip(idle).All(pair => pair.First.Waiters == 0 && pair.First.Handles <= pair.Second.Handles + Pooled);
            },
            TimeSpan.FromSeconds(90),
            () => $"Before: {string.Join('\n', idle.AsEnumerable())}\nafter: {string.Join('\n', current.AsEnumerable())}");
    }

    private static Task<ResourceSample[]> SampleAsync(ChaosSystem system, RequestSender sender, HttpClient http) =>
        Task.WhenAll(system.Replicas.Select(replica => ResourceSample.OfAsync(replica, sender.Now, http)));
}
