using System.Diagnostics.CodeAnalysis;
using LumaGateway.Caching;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Redis;

namespace LumaGateway.Tests.Simulation;

/// <summary>One run of a schedule: replicas of the product's classes on a simulated clock, scheduler, Redis and upstream.</summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed class Simulation
{
    /// <summary>How long after the last fault a run may take: the last reads, and the longest wait.</summary>
    private static readonly TimeSpan MaxEnd = TimeSpan.FromSeconds(60);

    private readonly SimulatedProcess _world = new("world");
    private readonly PlantedBug _bug;
    private readonly SimulationScheduler _scheduler;
    private readonly SimulatedNetwork _network;
    private readonly FakeRedis _redis;
    private readonly SimulatedCallers _callers;
    private readonly SimulatedCreates _creates;
    private readonly SimulatedFaults _faults;
    private readonly SimulatedReplica[] _replicas;
    private readonly HashSet<long> _stored = [];
    private readonly List<SimulatedReplica> _started = []; // also those that were killed
    private readonly ThreadPoolWork _threadPool = new();

    private Simulation(Schedule schedule, PlantedBug bug, bool isTraced)
    {
        (Schedule, _bug) = (schedule, bug);
        _scheduler = new SimulationScheduler(schedule.Seed, schedule.HasLag, isTraced);
        Upstream = new SimulatedUpstream(_scheduler, schedule, bug);
        Source = new SimulatedSource(_scheduler, bug);
        _callers = new SimulatedCallers(_scheduler, Source, bug, Violations);
        _creates = new SimulatedCreates(_scheduler, Upstream);
        var planted = new PlantedScripts(bug, () => _redis!);
        _network = new SimulatedNetwork(_scheduler, _world) { AfterEffect = planted.AfterEffect };
        _redis = new FakeRedis(_scheduler) { Network = _network, ChangeScript = planted.ChangeScript, OnReplace = CheckReplaced, OnStore = requestedAt => _stored.Add(requestedAt) };
        _faults = new SimulatedFaults(_scheduler, _world, _network, _redis, Upstream);
        _replicas = new SimulatedReplica[schedule.Replicas];
        for (var index = 0; index < _replicas.Length; index++)
        {
            Start(index);
        }

        _scheduler.BeforeStep = () =>
        {
            _scheduler.AwaitThreadPool(_threadPool.TakeStarted());
            BeforeStep();
        };
    }

    public Schedule Schedule { get; }

    public SimulatedUpstream Upstream { get; }

    public SimulatedSource Source { get; }

    public List<ReadRecord> Reads => _callers.Reads;

    public List<PurgeRecord> Purges => _callers.Purges;

    public List<CreateRecord> Creates => _creates.Creates;

    /// <summary>Redis, after the run.</summary>
    public FakeRedis Redis => _redis;

    public List<Violation> Violations { get; } = [];

    public IReadOnlyList<string> Trace => _scheduler.Trace;

    /// <summary>Whether Redis has stored the entry.</summary>
    public bool IsStored(CacheEntry entry) => _stored.Contains((entry.RequestedAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Runs the schedule to its end, then reads every key on every replica.</summary>
    public static Simulation Run(Schedule schedule, PlantedBug bug = PlantedBug.None, bool isTraced = false)
    {
        if (Instrumentation.Activities.HasListeners())
        {
            throw new InvalidOperationException("A span is a step more in the schedule: while something listens for spans, a seed has another trace.");
        }

        SharedRandom.Seed(schedule.Seed); // the jitter of polls and of freshness
        var run = new Simulation(schedule, bug, isTraced);
        foreach (var operation in schedule.Operations)
        {
            run._scheduler.At(run._world, TimeSpan.FromSeconds(1) + operation.At, () => run.Begin(operation));
        }

        // After the last fault, the breakers need Cache:RedisPause and a slow upstream its deadline.
        run._scheduler.At(run._world, TimeSpan.FromSeconds(13) + schedule.Calm, run.ReadAll);
        for (var at = TimeSpan.FromSeconds(3); at < TimeSpan.FromSeconds(20) + schedule.Calm; at += TimeSpan.FromSeconds(2))
        {
            run._scheduler.At(run._world, at, run.UpdateJobs);
        }

        try
        {
            run._scheduler.Run(schedule.Calm + MaxEnd);
            run.CheckEnd();
            return run;
        }
        finally
        {
            run._started.ForEach(static replica => replica.Dispose());
        }
    }

    private void Start(int index)
    {
        var offset = Schedule.HasClockSkew ? (_scheduler.Random.NextDouble() - 0.5) * Schedule.MaxClockSkew : TimeSpan.Zero;
        var process = new SimulatedProcess($"replica{index}") { ClockOffset = offset };
        var replica = new SimulatedReplica(process, _scheduler, _redis, Upstream, Source, SimulatedSettings.Of(Schedule, _bug));
        _replicas[index] = replica;
        _started.Add(replica);
        _scheduler.At(process, _scheduler.Now, () => replica.Start(polls: _bug is not PlantedBug.PollerIsNotStarted));
    }

    private void BeforeStep()
    {
        foreach (var replica in _replicas)
        {
            if (_bug is PlantedBug.PollsIgnoreBackOff)
            {
                foreach (var target in replica.Targets.All.Where(static target => target.PollingPeriod?.ConsecutiveFaults > 0))
                {
                    target.DueAt = TimeSpan.Zero;
                }
            }

            replica.AwaitPlaces();
            replica.Watch(_threadPool);
            replica.Breakers.PostTo(new SimulationContext(_scheduler, replica.Process));
        }

        _threadPool.Count();
    }

    private void Begin(Operation operation)
    {
        _scheduler.Write($"begin {operation.Kind} key {operation.Key}");
        var replica = _replicas[operation.Replica % _replicas.Length];
        switch (operation.Kind)
        {
            case OperationKind.Read:
                On(replica, () => _ = _callers.ReadAsync(replica, operation.Key, operation.Length > TimeSpan.Zero ? operation.Length : null));
                break;
            case OperationKind.Wait:
                On(replica, () => _ = _callers.WaitAsync(replica, operation.Key, operation.Wait, operation.Length > TimeSpan.Zero ? operation.Length : null));
                break;
            case OperationKind.Poll:
                On(replica, () => _ = _callers.PollAsync(replica, operation.Key));
                break;
            case OperationKind.Purge:
                On(replica, () => _ = _callers.PurgeAsync(replica, operation.Key));
                break;
            case OperationKind.PutListed:
                On(replica, () => _ = _callers.PutListedAsync(replica, operation.Key));
                break;
            case OperationKind.Create:
                On(replica, () => _ = _creates.CreateAsync(replica, operation.Key));
                break;
            case OperationKind.ReadCreated:
                On(replica, () => _ = _creates.ReadAsync(replica, operation.Key));
                break;
            case OperationKind.Crash:
                replica.Process.IsDead = true;
                Start(Array.IndexOf(_replicas, replica));
                break;
            default:
                _faults.Begin(operation, replica.Process);
                break;
        }
    }

    private void On(SimulatedReplica replica, Action action) => _scheduler.At(replica.Process, _scheduler.Now, action);

    private void UpdateJobs()
    {
        var replica = _replicas[_scheduler.Random.Next(_replicas.Length)];
        On(replica, () => _ = _creates.UpdateJobsAsync(replica));
    }

    private void ReadAll()
    {
        for (var key = 0; key < Schedule.Keys; key++)
        {
            foreach (var replica in _replicas)
            {
                var read = key;
                On(replica, () => _ = _callers.ReadAsync(replica, read, isLast: true));
            }
        }
    }

    private void CheckReplaced(long previous, long next)
    {
        if (previous > next)
        {
            Violations.Add(new Violation(Property.NewerEntryStays, $"step {_scheduler.Step} replaced an entry that was requested {previous - next} µs later"));
        }
    }

    private void CheckEnd()
    {
        if (_scheduler.Escaped is { } escaped)
        {
            AddLeft($"work has left the simulation: {escaped}");
        }

        if (!_scheduler.HasEnded)
        {
            AddLeft("a timer or a loop is left");
        }

        if (_replicas.Any(static replica => replica.Waiters.Count > 0))
        {
            AddLeft("a waiter is left");
        }

        if (_replicas.Any(static replica => !replica.Targets.IsEmpty || replica.Targets.Count > 0))
        {
            AddLeft("a generation is still polled");
        }

        if (_replicas.Any(static replica => !replica.InFlight.IsEmpty))
        {
            AddLeft("a fetch is left in flight");
        }

        if (_redis.Keys.Find(static key => key.EndsWith(":lock", StringComparison.Ordinal)) is not null)
        {
            AddLeft("a lock is left");
        }

        Violations.AddRange(Checkers.Check(this));

        void AddLeft(string text) => Violations.Add(new Violation(Property.NothingIsLeft, text));
    }
}
