using System.Globalization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>
/// One run: rounds of faults under load. After each round the system must recover in time. The seed determines the faults, but not their order
/// relative to the requests.
/// </summary>
internal sealed class ChaosRun(ChaosOptions options, Action<string> print, TimeProvider clock)
{
    private static readonly TimeSpan QuietPeriod = TimeSpan.FromSeconds(4);

    /// <summary>A failover can lose writes that are up to this old.</summary>
    private static readonly TimeSpan ReplicationLag = TimeSpan.FromSeconds(1);

    /// <summary>The time of all attempts of one create.</summary>
    private static readonly TimeSpan LongestCreate = TimeSpan.FromMinutes(2);

    private readonly Findings _findings = new();

    /// <summary>Returns the violated invariants.</summary>
    public async Task<IReadOnlyList<Invariant>> RunAsync()
    {
        var round = options.FirstRound;
        _findings.ViolationFound += (invariant, message) => print($"VIOLATED {invariant}: {message}\n  repeat: {(options with { FirstRound = round }).CommandLine}");
        await using var system = await ChaosSystem.StartAsync(isSigned: options.Seed % 2 != 0);
        var name = $"s{options.Seed}x";
        var faults = new Faults(system, _findings, clock);
        var checker = new ResponseChecker(_findings);
        using var http = new HttpClient(ViolationInjector.Wrap(options.Violation, system, new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 500 })) { Timeout = TimeSpan.FromSeconds(60) };
        var sender = new RequestSender(system, faults, checker, _findings, http, clock);
        var creators = new Creators(sender, faults, _findings, name, clock);
        var deleters = new Deleters(system, sender, faults, _findings, name, clock);
        var readers = new Readers(sender, creators, name);
        var recovery = new Recovery(system, sender, _findings, http, clock);
        print($"chaos with seed {options.Seed}, rounds of {options.RoundLength.TotalSeconds:0} s; the clock of replica {FaultPlan.ReplicaWithClock} {(system.Clock is null ? "cannot be changed: libfaketime is not installed" : "can be changed")}; entries and messages are {(system.IsSigned ? "" : "not ")}signed");
        await recovery.MeasureAsync(-1); // fills the caches of all replicas and runs the JIT before the first fault

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
                var elapsed = await RunRoundAsync(round, system, faults, recovery, deleters);
                slowest = elapsed > slowest ? elapsed : slowest;
                round++;
            }
            while (sender.Now < options.Length);
        }
        finally
        {
            foreach (var (kind, load) in loads)
            {
                figures.Add($"  {kind}: {await load.StopAsync()}");
            }
        }

        await deleters.CheckAsync();
        await ActiveResources.CheckAsync(system, _findings, clock);
        await creators.CheckAsync(system.Sandbox, faults.Token.Current);
        await SecretScan.RunAsync(system, _findings);
        checker.History.Check(_findings, call => IsReliable(call, sender, faults));
        if (options.History is { } path)
        {
            await checker.History.WriteAsync(path);
        }

        print(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {round - options.FirstRound} rounds in {sender.Now.TotalSeconds:0} s, seed {options.Seed}
            faults: {string.Join(", ", faults.Applied.OrderBy(count => count.Key).Select(count => $"{count.Key} × {count.Value}"))}
            shared state: {faults.Shared}
            removals: {deleters}
            history: {checker.History.Checked} calls judged
            generations created: {creators}
            {string.Join('\n', figures)}
            invariants:
            {_findings}
            slowest recovery: {slowest.TotalSeconds:0.0} s of {Recovery.Limit.TotalSeconds:0} s
            """));
        return _findings.ViolatedInvariants;
    }

    /// <summary>Whether no failover may have lost this purge, delete or create, and no fault has deleted the record of the create.</summary>
    private static bool IsReliable(HistoryCall call, RequestSender sender, Faults faults)
    {
        var from = sender.TimestampAt(call.Operation is HistoryOperation.Create ? call.EndAt - LongestCreate : call.BeginAt);
        return call.Operation is HistoryOperation.Create
            ? faults.Shared.Records.DeletionOf(call.Key) is Deletion.None && !faults.Redis.MayHaveLostWrites(from, sender.TimestampAt(call.EndAt))
            : call.IsConfirmed && !faults.Redis.MayHaveLostWrites(from, sender.TimestampAt(call.EndAt + ReplicationLag));
    }

    private async Task<TimeSpan> RunRoundAsync(int round, ChaosSystem system, Faults faults, Recovery recovery, Deleters deleters)
    {
        var plan = FaultPlan.Of(options.Seed, round, options.RoundLength);
        print($"round {round}\n{string.Join('\n', plan.Select(fault => $"  {fault}"))}");
        await system.Sandbox.ResetCountsAsync();
        var started = clock.GetTimestamp();

        await faults.ApplyAsync(plan);
        UpstreamBounds.CheckDuringFaults(await system.Sandbox.CountsAsync(), clock.GetElapsedTime(started), _findings);

        var elapsed = await recovery.MeasureAsync(round);
        print(string.Create(CultureInfo.InvariantCulture, $"  recovered after {elapsed.TotalSeconds:0.0} s"));

        await system.Sandbox.ResetCountsAsync();
        started = clock.GetTimestamp();
        await Wait.ForAsync(QuietPeriod);
        UpstreamBounds.CheckWithoutFaults(await system.Sandbox.CountsAsync(), clock.GetElapsedTime(started), _findings);
        await deleters.CheckAsync();
        return elapsed;
    }
}
