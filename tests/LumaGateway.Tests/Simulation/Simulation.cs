using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text;
using LumaGateway.Caching;
using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Redis;
using LumaGateway.Time;

namespace LumaGateway.Tests.Simulation;

/// <summary>One run of a schedule: replicas of the product's classes on a simulated clock, scheduler, Redis and upstream.</summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed class Simulation
{
    public static readonly TimeSpan MemoryLifetime = TimeSpan.FromSeconds(5);

    private readonly SimulatedProcess _world = new("world");
    private readonly PlantedBug _bug;
    private readonly SimulationScheduler _scheduler;
    private readonly SimulatedNetwork _network;
    private readonly FakeRedis _redis;
    private readonly SimulatedReplica[] _replicas;
    private readonly List<SimulatedReplica> _started = []; // also those that were killed

    private Simulation(Schedule schedule, PlantedBug bug, bool isTraced)
    {
        (Schedule, _bug) = (schedule, bug);
        _scheduler = new SimulationScheduler(schedule.Seed, schedule.HasLag, isTraced);
        Upstream = new SimulatedUpstream(_scheduler, schedule, bug);
        _network = new SimulatedNetwork(_scheduler, _world) { AfterEffect = AfterEffect };
        _redis = new FakeRedis(_scheduler) { Network = _network, ChangeScript = ChangeScript };
        _replicas = new SimulatedReplica[schedule.Replicas];
        for (var index = 0; index < _replicas.Length; index++)
        {
            Start(index);
        }

        _scheduler.BeforeStep = PostBreakerCallbacks;
    }

    public Schedule Schedule { get; }

    public SimulatedUpstream Upstream { get; }

    public List<ReadRecord> Reads { get; } = [];

    public List<PurgeRecord> Purges { get; } = [];

    public List<string> Faults { get; } = [];

    public IReadOnlyList<string> Trace => _scheduler.Trace;

    /// <summary>Runs the schedule to its end, then reads every key on every replica.</summary>
    public static Simulation Run(Schedule schedule, PlantedBug bug = PlantedBug.None, bool isTraced = false)
    {
        var run = new Simulation(schedule, bug, isTraced);
        foreach (var operation in schedule.Operations)
        {
            var process = operation.Kind < OperationKind.RedisDown ? null : run._world;
            run._scheduler.At(process ?? run._world, TimeSpan.FromSeconds(1) + operation.At, () => run.Begin(operation));
        }

        // After the last fault, the breakers need Cache:RedisPause and a slow upstream its deadline.
        run._scheduler.At(run._world, TimeSpan.FromSeconds(13) + schedule.Calm, run.ReadAll);
        try
        {
            run._scheduler.Run();
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
        var process = new SimulatedProcess($"replica{index}");
        var replica = new SimulatedReplica(process, _scheduler, _redis, Upstream, _bug is PlantedBug.MemoryIsNotVerified ? TimeSpan.FromMinutes(1) : MemoryLifetime);
        _replicas[index] = replica;
        _started.Add(replica);
        _scheduler.At(process, _scheduler.Now, replica.Start);
    }

    private void PostBreakerCallbacks()
    {
        foreach (var replica in _replicas)
        {
            replica.Breakers.PostTo(new SimulationContext(_scheduler, replica.Process));
        }
    }

    private void Begin(Operation operation)
    {
        _scheduler.Write($"begin {operation.Kind} key {operation.Key}");
        var replica = _replicas[operation.Replica % _replicas.Length];
        switch (operation.Kind)
        {
            case OperationKind.Read or OperationKind.Poll:
                On(replica, () => _ = ReadAsync(replica, operation.Key, operation.Kind is OperationKind.Poll));
                break;
            case OperationKind.Purge:
                On(replica, () => _ = PurgeAsync(replica, operation.Key));
                break;
            case OperationKind.PutListed:
                On(replica, () => _ = PutListedAsync(replica, operation.Key));
                break;
            case OperationKind.Create:
                On(replica, () => _ = CreateAsync(replica, operation.Key));
                break;
            case OperationKind.RedisDown:
                BeginFault(operation, NetworkFault.Down);
                break;
            case OperationKind.RepliesLost:
                BeginFault(operation, NetworkFault.RepliesLost);
                break;
            case OperationKind.ReadOnly:
                BeginFault(operation, NetworkFault.ReadOnly);
                break;
            case OperationKind.RedisSlow:
                BeginFault(operation, NetworkFault.Slow);
                break;
            case OperationKind.MessagesLost:
                _network.LosesMessages = true;
                After(operation, () => _network.LosesMessages = false);
                break;
            case OperationKind.Evict:
                _redis.Lose(_scheduler.Random.Next(2) == 0 ? ":final" : ":brief");
                break;
            case OperationKind.Failover:
                var restore = _redis.Snapshot(static key => !key.Contains(":create:", StringComparison.Ordinal));
                After(operation, restore);
                break;
            case OperationKind.Pause:
                replica.Process.PausedUntil = _scheduler.Now + operation.Length;
                break;
            case OperationKind.Crash:
                replica.Process.IsDead = true;
                Start(Array.IndexOf(_replicas, replica));
                break;
            case OperationKind.UpstreamFails:
                Upstream.Fails = true;
                After(operation, () => Upstream.Fails = false);
                break;
            case OperationKind.UpstreamSlow:
                Upstream.IsSlow = true;
                After(operation, () => Upstream.IsSlow = false);
                break;
        }
    }

    private void On(SimulatedReplica replica, Action action) => _scheduler.At(replica.Process, _scheduler.Now, action);

    private void After(Operation operation, Action action) => _scheduler.At(_world, _scheduler.Now + operation.Length, action);

    private void BeginFault(Operation operation, NetworkFault fault)
    {
        _network.Fault = fault;
        if (fault is NetworkFault.Down)
        {
            _network.Notify(isLost: true);
        }

        After(operation, () =>
        {
            _network.Fault = NetworkFault.None;
            _network.Notify(isLost: false);
        });
    }

    private async Task ReadAsync(SimulatedReplica replica, int key, bool isPoll, bool isLast = false)
    {
        var record = new ReadRecord(replica.Process, key, _scheduler.Step, _scheduler.Now) { IsLast = isLast };
        Reads.Add(record);
        var id = SimulatedUpstream.KeyOf(key);
        var result = isPoll
            ? await replica.Cache.RefreshAsync(id, new FetchRequest("poll"), _scheduler.GetUtcNow() - TimeSpan.FromSeconds(1))
            : await replica.Cache.GetAsync(id, new FetchRequest("read"), CancellationToken.None);
        (record.EndStep, record.EndAt, record.Result) = (_scheduler.Step, _scheduler.Now, result);
        _scheduler.Write($"{replica.Process.Name} read g{key}: {result.Status} {result.Entry?.Kind} {(result.Entry is { } entry ? Encoding.UTF8.GetString(entry.Body) : null)} {result.Fault?.Fault}");
    }

    private async Task PurgeAsync(SimulatedReplica replica, int key)
    {
        var record = new PurgeRecord(replica.Process, key, _scheduler.Step, _scheduler.Now);
        Purges.Add(record);
        var id = SimulatedUpstream.KeyOf(key);
        var kept = _bug is PlantedBug.PurgeKeepsFetches ? replica.InFlight[id] : null;
        record.IsConfirmed = await replica.Cache.PurgeAsync(id);
        if (kept is not null)
        {
            kept.GetType().GetProperty("IsInvalidated", BindingFlags.Instance | BindingFlags.Public)!.SetValue(kept, false);
            replica.InFlight[id] = kept;
        }

        (record.EndStep, record.EndAt) = (_scheduler.Step, _scheduler.Now);
        _scheduler.Write($"{replica.Process.Name} purged g{key}, confirmed: {record.IsConfirmed}");
    }

    /// <summary>What a list sweep does with one entry of its page.</summary>
    private async Task PutListedAsync(SimulatedReplica replica, int key)
    {
        var purges = replica.Cache.Purges;
        using var deadline = new Deadline(Upstream.Deadline, _scheduler);
        try
        {
            var entry = await Upstream.FetchAsync(SimulatedUpstream.KeyOf(key), "list", deadline);
            if (entry.Kind is not EntryKind.NotFound)
            {
                await replica.Cache.PutAsync(entry, _bug is PlantedBug.ListedEntryIgnoresPurge ? replica.Cache.Purges : purges);
            }
        }
        catch (UpstreamException)
        {
            // The sweep is repeated later.
        }
    }

    /// <summary>The steps of the idempotency middleware with the product's ledger.</summary>
    private async Task CreateAsync(SimulatedReplica replica, int key)
    {
        IdempotencyClaim claim;
        try
        {
            claim = await replica.Ledger.ClaimAsync("client", ["client", "create", $"{key}"], "body", ["previous", $"{key}"]);
        }
        catch (IdempotencyStoreUnavailableException)
        {
            return; // refused: nothing was sent
        }

        if (claim.IsAcquired)
        {
            _scheduler.Write($"{replica.Process.Name} creates {key}");
            await (await Upstream.CreateAsync(key)
                ? replica.Ledger.RecordResponseAsync(claim, new RecordedResponse(201, new Dictionary<string, string>(), []))
                : replica.Ledger.RecordUnknownAsync(claim));
        }
    }

    private void ReadAll()
    {
        for (var key = 0; key < Schedule.Keys; key++)
        {
            foreach (var replica in _replicas)
            {
                var read = key;
                On(replica, () => _ = ReadAsync(replica, read, isPoll: false, isLast: true));
            }
        }
    }

    private void CheckEnd()
    {
        if (_scheduler.HasEscaped)
        {
            Faults.Add("work has left the simulation");
        }

        if (_replicas.Any(replica => replica.InFlight.Count > 0))
        {
            Faults.Add("a fetch is left in flight");
        }

        if (_redis.Keys.Find(static key => key.EndsWith(":lock", StringComparison.Ordinal)) is not null)
        {
            Faults.Add("a lock is left");
        }

        Faults.AddRange(Checkers.Check(this));
    }

    private void AfterEffect(string command, string key)
    {
        if (_bug is PlantedBug.ClaimIsLost && command == "add" && key.Contains(":create:", StringComparison.Ordinal))
        {
            _redis.Lose(key);
        }
    }

    private void ChangeScript(string script, StackExchange.Redis.RedisKey[] keys, StackExchange.Redis.RedisValue[] values)
    {
        switch (_bug, script)
        {
            case (PlantedBug.WriteIgnoresToken or PlantedBug.ListedEntryIgnoresPurge, CacheScripts.Write):
                values[0] = _redis.ValueOf(keys[2]!) is { } token ? Encoding.UTF8.GetString(token) : "";
                break;
            case (PlantedBug.WriteIgnoresNewer, CacheScripts.Write):
                values[3] = 0;
                break;
            case (PlantedBug.LockIgnoresOwner, CacheScripts.Lock):
                _redis.Lose(keys[3]!);
                break;
            case (PlantedBug.LockIsNotReleased, CacheScripts.Release):
                values[0] = "none";
                break;
            case (PlantedBug.LockIsNotReleased, CacheScripts.Write):
                values[8] = "none";
                break;
            case (PlantedBug.TokenExpires, CacheScripts.Purge):
                values[1] = 1;
                break;
        }
    }
}

/// <summary>A read of a caller. It has no end if its replica crashed.</summary>
internal sealed class ReadRecord(SimulatedProcess process, int key, int beginStep, TimeSpan beginAt)
{
    public SimulatedProcess Process => process;

    public int Key => key;

    public int BeginStep => beginStep;

    public TimeSpan BeginAt => beginAt;

    public int? EndStep { get; set; }

    public TimeSpan EndAt { get; set; }

    public CacheResult Result { get; set; }

    /// <summary>Whether it is a read after the last fault.</summary>
    public bool IsLast { get; init; }
}

/// <summary>A purge of a caller.</summary>
internal sealed class PurgeRecord(SimulatedProcess process, int key, int beginStep, TimeSpan beginAt)
{
    public SimulatedProcess Process => process;

    public int Key => key;

    public int BeginStep => beginStep;

    public TimeSpan BeginAt => beginAt;

    public int? EndStep { get; set; }

    public TimeSpan EndAt { get; set; }

    public bool IsConfirmed { get; set; }
}
