using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LumaGateway.Tests.Simulation;

/// <summary>
/// Runs all work of a simulation on one thread: tasks, timers and messages. The seed chooses the next ready item. The clock advances to the next timer if no item is
/// ready, and sometimes earlier, as on a slow machine. Work that reaches it unexpectedly from another thread fails the run.
/// </summary>
[SuppressMessage("Security", "CA5394", Justification = "A seed repeats the choices.")]
internal sealed class SimulationScheduler(int seed, bool hasLag, bool isTraced) : TimeProvider
{
    private const int MaxSteps = 200_000;

    /// <summary>How far the clock advances at once while work is ready.</summary>
    private static readonly TimeSpan MaxLag = TimeSpan.FromMilliseconds(200);

    private static readonly DateTimeOffset Start = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<(SimulationContext Context, SendOrPostCallback Callback, object? State)> _ready = [];
    private readonly PriorityQueue<(SimulationTimer Timer, int Version), (long DueAt, long Order)> _timers = new();
    private readonly List<(SimulationContext Context, SendOrPostCallback Callback, object? State)> _fromThreadPool = [];
    private long _now;
    private long _order;

    public Random Random { get; } = new(seed);

    public List<string> Trace { get; } = [];

    public bool HasEscaped => Escaped is not null;

    /// <summary>What reached the simulation unexpectedly from another thread; null if nothing did.</summary>
    public string? Escaped { get; private set; }

    /// <summary>Whether the run has ended by itself: no work and no timer is left.</summary>
    public bool HasEnded { get; private set; }

    public TimeSpan Now => TimeSpan.FromTicks(Volatile.Read(ref _now));

    /// <summary>The number of the current step: it orders events of the same time.</summary>
    public int Step { get; private set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>The wall clock of the current process.</summary>
    public override DateTimeOffset GetUtcNow() => Start + Now + ((SynchronizationContext.Current as SimulationContext)?.Process.ClockOffset ?? TimeSpan.Zero);

    public override long GetTimestamp() => Now.Ticks;

    /// <summary>Called before each step; it may add work.</summary>
    public Action BeforeStep { get; set; } = () => { };

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimulationTimer(this, Current(), callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The context of the current item.</summary>
    public SimulationContext Current()
    {
        if (Environment.CurrentManagedThreadId == _thread && SynchronizationContext.Current is SimulationContext context)
        {
            return context;
        }

        Escaped = Environment.StackTrace;
        throw new InvalidOperationException("Work has left the simulation.");
    }

    public void Write(string line)
    {
        if (isTraced)
        {
            Trace.Add(string.Create(CultureInfo.InvariantCulture, $"{Step,6} {Now.TotalMilliseconds,9:F1} ms  {line}"));
        }
    }

    /// <summary>Runs an action of a process at a time.</summary>
    public void At(SimulatedProcess process, TimeSpan time, Action action)
    {
        var timer = new SimulationTimer(this, new SimulationContext(this, process), _ => action(), null);
        timer.Change(time > Now ? time - Now : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Post(SimulationContext context, SendOrPostCallback callback, object? state)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            _ready.Add((context, callback, state));
            return;
        }

        if (context.Process.IsDead)
        {
            return; // a finalizer ends the timer of a dead process
        }

        lock (_fromThreadPool)
        {
            _fromThreadPool.Add((context, callback, state));
            Monitor.Pulse(_fromThreadPool);
        }
    }

    /// <summary>Waits for the work that the thread pool posts, and orders it by the steps that wait for it.</summary>
    /// <param name="count">How much work the thread pool must post.</param>
    public void AwaitThreadPool(int count)
    {
        lock (_fromThreadPool)
        {
            while (_fromThreadPool.Count < count)
            {
                if (!Monitor.Wait(_fromThreadPool, TimeSpan.FromMinutes(1)))
                {
                    throw new InvalidOperationException("The thread pool does not continue.");
                }
            }

            if (_fromThreadPool.Count > count)
            {
                Escaped = $"{_fromThreadPool.Count} instead of {count}: {string.Join(", ", _fromThreadPool.Select(static item => Describe(item.Callback, item.State)))}";
            }

            _ready.AddRange(_fromThreadPool.OrderBy(static item => item.Context.Step));
            _fromThreadPool.Clear();
        }
    }

    /// <summary>Runs until there is no work and no timer.</summary>
    /// <param name="limit">When a run that does not end is stopped.</param>
    public void Run(TimeSpan limit)
    {
        var previous = SynchronizationContext.Current;
        try
        {
            while (!HasEscaped && Now < limit)
            {
                if (!RunStep())
                {
                    HasEnded = true;
                    return;
                }

                Step = Step < MaxSteps ? Step + 1 : throw new InvalidOperationException("The simulation does not end.");
            }
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(previous);
        }
    }

    /// <summary>Names the method that continues.</summary>
    private static string Describe(SendOrPostCallback callback, object? state) => state is Action { Target: { } method } ? $"{method.GetType()}" : $"{callback.Method}";

    private bool RunStep()
    {
        BeforeStep();
        _ready.RemoveAll(static item => item.Context.Process.IsDead);
        var runnable = _ready.FindAll(item => item.Context.Process.PausedUntil <= Now);
        if (runnable.Count == 0 || (hasLag && Random.Next(100) == 0 && NextDueAt() - _now < MaxLag.Ticks))
        {
            return FireNextTimer() || runnable.Count > 0;
        }

        var item = runnable[Random.Next(runnable.Count)];
        _ready.Remove(item);
        Write($"{item.Context.Process.Name} runs 1 of {runnable.Count}");
        SynchronizationContext.SetSynchronizationContext(new SimulationContext(this, item.Context.Process)); // another one than captured: continuations are posted, not inlined
        var before = _ready.Count;
        item.Callback(item.State);
        SortPosted(before);
        return true;
    }

    /// <summary>Orders what one step has posted by the steps that wait for it: the product may enumerate its waiters in an order that differs from run to run.</summary>
    private void SortPosted(int first)
    {
        if (_ready.Count - first > 1)
        {
            var posted = _ready[first..].OrderBy(static item => item.Context.Step).ToList();
            _ready.RemoveRange(first, posted.Count);
            _ready.AddRange(posted);
        }
    }

    private bool FireNextTimer()
    {
        if (NextDueAt() is null)
        {
            return false;
        }

        _timers.TryDequeue(out var next, out var due);
        Volatile.Write(ref _now, Math.Max(_now, due.DueAt));
        Write($"{next.Timer.Context.Process.Name} timer");
        next.Timer.Fire();
        return true;
    }

    /// <summary>When the next timer is due; null if there is none. Removes timers that were changed, and delays those of a paused process.</summary>
    private long? NextDueAt()
    {
        while (_timers.TryPeek(out var next, out var due))
        {
            var process = next.Timer.Context.Process;
            if (next.Timer.Version == next.Version && !process.IsDead)
            {
                if (process.PausedUntil.Ticks <= Math.Max(due.DueAt, _now))
                {
                    return due.DueAt;
                }

                _timers.DequeueEnqueue(next, (process.PausedUntil.Ticks, due.Order));
            }
            else
            {
                _timers.Dequeue();
            }
        }

        return null;
    }

    /// <summary>A timer of a process.</summary>
    private sealed class SimulationTimer(SimulationScheduler scheduler, SimulationContext context, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public SimulationContext Context => context;

        public int Version { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Version++;
            _period = period;
            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                scheduler._timers.Enqueue((this, Version), (scheduler._now + dueTime.Ticks, scheduler._order++));
            }

            return true;
        }

        public void Fire()
        {
            var version = Version;
            Change(_period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan, _period);
            var fired = Version;
            scheduler.Post(context, _ => Invoke(version == fired - 1 && fired == Version), null);
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Invoke(bool isCurrent)
        {
            if (isCurrent)
            {
                callback(state);
            }
        }
    }
}
