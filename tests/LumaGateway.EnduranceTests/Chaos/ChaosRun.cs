using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// One run: rounds of faults under load, after each of which everything must be well again in time. What the faults are comes from the seed alone;
/// how they fall among the requests does not, as it never does.
/// </summary>
internal sealed class ChaosRun(ChaosOptions options, Action<string> print, TimeProvider clock)
{
    private static readonly TimeSpan Peace = TimeSpan.FromSeconds(4);

    private readonly Findings _findings = new();

    /// <summary>The invariants that did not hold.</summary>
    public async Task<IReadOnlyList<Invariant>> RunAsync()
    {
        var round = options.FirstRound;
        _findings.Violated += (invariant, complaint) => print($"VIOLATED {invariant}: {complaint}\n  again: {(options with { FirstRound = round }).CommandLine}");
        await using var system = await ChaosSystem.StartAsync(isSigned: options.Seed % 2 != 0);
        var name = $"s{options.Seed}x";
        var faults = new Faults(system, _findings, clock);
        var witness = new Witness(_findings);
        using var http = new HttpClient(Lie.Between(options.Lie, system, new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 500 })) { Timeout = TimeSpan.FromSeconds(60) };
        var exchange = new Exchange(system, faults, witness, _findings, http, clock);
        var creators = new Creators(exchange, faults, _findings, name, clock);
        var deleters = new Deleters(system, exchange, faults, _findings, name, clock);
        var readers = new Readers(exchange, creators, name);
        var recovery = new Recovery(system, exchange, _findings, http, clock);
        print($"chaos with seed {options.Seed}, rounds of {options.RoundLength.TotalSeconds:0} s; the clock of replica {FaultPlan.ReplicaWithClock} {(system.Clock is null ? "cannot be moved: libfaketime is not installed" : "can be moved")}; entries and messages are {(system.IsSigned ? "" : "not ")}signed");
        await recovery.MeasureAsync(-1); // all replicas come to know the treasures, and nothing is compiled for the first time under faults

        (string Kind, SteadyLoad Load)[] loads =
        [
            ("reads", SteadyLoad.Start(30, readers.ReadAsync)),
            ("waits", SteadyLoad.Start(3, readers.WaitAsync)),
            ("streams", SteadyLoad.Start(2, readers.StreamAsync)),
            ("lists", SteadyLoad.Start(2, readers.ListAsync)),
            ("creates", SteadyLoad.Start(1, creators.CreateAsync)),
            ("deletes", SteadyLoad.Start(2, deleters.DeleteAsync)),
        ];
        var slowest = TimeSpan.Zero;
        var figures = new List<string>();
        try
        {
            do
            {
                var took = await RunRoundAsync(round, system, faults, recovery, deleters);
                slowest = took > slowest ? took : slowest;
                round++;
            }
            while (exchange.Now < options.Length);
        }
        finally
        {
            foreach (var (kind, load) in loads)
            {
                figures.Add($"  {kind}: {await load.StopAsync()}");
            }
        }

        await deleters.CheckAsync();
        await Leftovers.CheckAsync(system, _findings, clock);
        await creators.CheckAsync(system.Sandbox, faults.Token.Current);
        await Search.EverywhereAsync(system, _findings);
        print(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {round - options.FirstRound} rounds in {exchange.Now.TotalSeconds:0} s, seed {options.Seed}
            faults: {string.Join(", ", faults.Thrown.OrderBy(thrown => thrown.Key).Select(thrown => $"{thrown.Key} × {thrown.Value}"))}
            shared: {faults.Shared}
            removals: {deleters}
            {string.Join('\n', figures)}
            invariants:
            {_findings}
            slowest recovery: {slowest.TotalSeconds:0.0} s of {Recovery.Limit.TotalSeconds:0} s
            """));
        return _findings.Broken;
    }

    private async Task<TimeSpan> RunRoundAsync(int round, ChaosSystem system, Faults faults, Recovery recovery, Deleters deleters)
    {
        var plan = FaultPlan.Of(options.Seed, round, options.RoundLength);
        print($"round {round}\n{string.Join('\n', plan.Select(fault => $"  {fault}"))}");
        await system.Sandbox.ResetCountsAsync();
        var begun = clock.GetTimestamp();

        await faults.ThrowAsync(plan);
        UpstreamBounds.CheckTrouble(await system.Sandbox.CountsAsync(), clock.GetElapsedTime(begun), _findings);

        var took = await recovery.MeasureAsync(round);
        print(string.Create(CultureInfo.InvariantCulture, $"  well again after {took.TotalSeconds:0.0} s"));

        await system.Sandbox.ResetCountsAsync();
        begun = clock.GetTimestamp();
        await Wait.ForAsync(Peace);
        UpstreamBounds.CheckPeace(await system.Sandbox.CountsAsync(), clock.GetElapsedTime(begun), _findings);
        await deleters.CheckAsync();
        return took;
    }
}
