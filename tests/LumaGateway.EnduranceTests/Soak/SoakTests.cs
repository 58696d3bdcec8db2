using LumaGateway.EnduranceTests.Chaos;

namespace LumaGateway.EnduranceTests.Soak;

/// <summary>All features at once for a long time. Short every day; <c>tests/endurance soak --minutes 30</c> by hand.</summary>
[TestClass(DisableParallelization = true)]
public sealed class SoakTests(ITestOutputHelper output)
{
    private static readonly TimeSpan SampleEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PrintEvery = TimeSpan.FromMinutes(5);

    /// <summary>Shorter runs have no plateau to look at.</summary>
    private static readonly TimeSpan ShortestForFlatness = TimeSpan.FromMinutes(3);

    private static readonly (string, string)[] Settings =
    [
        ("Cache:MemoryBytes", "2000000"), // full within minutes: a cache that fills up is no leak
        ("Assets:AllowHttp", "true"),
        ("Assets:AllowedNetworks:0", "127.0.0.0/8"),
    ];

    private readonly Findings _findings = new();

    [Fact]
    public async Task Under_every_kind_of_load_nothing_grows_and_nothing_is_left_of_callers_that_have_gone()
    {
        RedisServer.Require();
        var options = SoakOptions.FromEnvironment();
        _findings.Violated += (invariant, complaint) => output.WriteLine($"VIOLATED {invariant}: {complaint}");
        await using var system = await StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1000 });
        var exchange = new Exchange(system, new Faults(system, _findings, TimeProvider.System), new Witness(_findings), _findings, http, TimeProvider.System);
        await new Recovery(system, exchange, _findings, http, TimeProvider.System).MeasureAsync(0);
        var idle = await SampleAsync(system, exchange, http);

        var loads = Begin(options, exchange, new OtherFeatures(exchange, http), new Faults(system, new Findings(), TimeProvider.System));
        var samples = await WatchAsync(options, system, exchange, http);
        foreach (var (kind, load) in loads)
        {
            var figures = await load.StopAsync();
            output.WriteLine($"{kind}: {figures}");
            Assert.Equal(0, figures.Failed);
        }

        Assert.Empty(_findings.Broken);
        if (options.Length >= ShortestForFlatness)
        {
            Assert.Empty(samples.SelectMany(Flatness.FailureLines));
        }

        await AssertNothingIsLeftAsync(system, exchange, http, idle);
    }

    private static Task<ChaosSystem> StartAsync() => ChaosSystem.StartAsync(settings: (sandbox, folder) =>
    {
        var secret = Path.Combine(folder, "callbacks");
        File.WriteAllText(secret, OtherFeatures.CallbackSecret);
        return [.. Settings, ("Assets:AllowedHosts:0", sandbox.Address.Authority), ("Callbacks:SecretFile", secret)];
    });

    private static List<(string Kind, SteadyLoad Load)> Begin(SoakOptions options, Exchange exchange, OtherFeatures features, Faults faults)
    {
        var creators = new Creators(exchange, faults, new Findings(), "soak", TimeProvider.System);
        var readers = new Readers(exchange, creators, "soak");
        return
        [
            ("reads", SteadyLoad.Start(options.Rate, readers.ReadAsync)),
            ("waits", SteadyLoad.Start(Share(20), readers.WaitAsync)),
            ("streams", SteadyLoad.Start(Share(20), readers.StreamAsync)),
            ("lists", SteadyLoad.Start(Share(30), readers.ListAsync)),
            ("creates", SteadyLoad.Start(Share(60), creators.CreateAsync)),
            ("files", SteadyLoad.Start(Share(30), features.FetchFileAsync)),
            ("raw reads", SteadyLoad.Start(Share(30), features.PassAsync)),
            ("callbacks", SteadyLoad.Start(Share(60), features.HintAsync)),
            ("metrics and status", SteadyLoad.Start(1, features.LookAsync)),
        ];

        int Share(int part) => Math.Max(1, options.Rate / part);
    }

    /// <summary>The samples of each replica.</summary>
    private async Task<IReadOnlyList<IReadOnlyList<Vitals>>> WatchAsync(SoakOptions options, ChaosSystem system, Exchange exchange, HttpClient http)
    {
        var samples = new List<Vitals[]>();
        var (begun, printed) = (exchange.Now, TimeSpan.Zero);
        while (exchange.Now - begun is var passed && passed < options.Length)
        {
            await Wait.ForAsync(options.Length - passed < SampleEvery ? options.Length - passed : SampleEvery);
            samples.Add([.. (await SampleAsync(system, exchange, http)).Select(sample => sample with { At = sample.At - begun })]);
            if (samples.Count == 1 || samples[^1][0].At >= printed + PrintEvery || samples[^1][0].At >= options.Length)
            {
                printed = samples.Count == 1 ? TimeSpan.Zero : samples[^1][0].At;
                output.WriteLine(string.Join('\n', samples[^1].Select((sample, replica) => $"replica {replica}, {sample}")));
            }
        }

        return [.. Enumerable.Range(0, system.Replicas.Count).Select(replica => samples.Select(sample => sample[replica]).ToList())];
    }

    /// <summary>Connections to callers close, waiters are gone; those to Redis, the upstream and the CDN may stay for later: a minute unused, then they go too.</summary>
    private static async Task AssertNothingIsLeftAsync(ChaosSystem system, Exchange exchange, HttpClient http, Vitals[] idle)
    {
        const int Pooled = 40;
        Vitals[] left = idle;
        await Wait.UntilAsync(
            async () =>
            {
                left = await SampleAsync(system, exchange, http);
                return left.Zip(idle).All(now => now.First.Waiters == 0 && now.First.Handles <= now.Second.Handles + Pooled);
            },
            TimeSpan.FromSeconds(90),
            () => $"Before: {string.Join('\n', idle.AsEnumerable())}\nleft: {string.Join('\n', left.AsEnumerable())}");
    }

    private static Task<Vitals[]> SampleAsync(ChaosSystem system, Exchange exchange, HttpClient http) =>
        Task.WhenAll(system.Replicas.Select(replica => Vitals.OfAsync(replica, exchange.Now, http)));
}
