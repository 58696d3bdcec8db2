using LumaGateway.Sandbox.Requests;

namespace LumaGateway.Sandbox.Generations;

/// <summary>
/// The limits of the emulated account on creates. All dialects share them, as they share the generations. Counts the refused creates in the <see cref="RequestLog"/>.
/// Thread-safe.
/// </summary>
internal sealed class CreateLimits(SandboxOptions options, RequestLog log, TimeProvider clock)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly List<SandboxGeneration> _running = [];
    private readonly Queue<DateTimeOffset> _lastMinute = new();

    public int CreatesOfLastMinute
    {
        get
        {
            lock (_lock)
            {
                DropOld(clock.GetUtcNow());
                return _lastMinute.Count;
            }
        }
    }

    /// <summary>Runs the create if it is below the limits. Returns how long to wait if it is not; otherwise null.</summary>
    public TimeSpan? TryCreate(Func<SandboxGeneration> create, out SandboxGeneration? generation)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            generation = null;
            if (BlockedFor(now) is { } wait)
            {
                log.RecordRefusedCreate();
                return wait;
            }

            generation = create();
            _running.Add(generation);
            _lastMinute.Enqueue(now);
            return null;
        }
    }

    private TimeSpan? BlockedFor(DateTimeOffset now)
    {
        _running.RemoveAll(generation => generation.StateAt(now) is GenerationState.Completed or GenerationState.Failed);
        DropOld(now);

        return options.MaxCreatesPerMinute > 0 && _lastMinute.Count >= options.MaxCreatesPerMinute ? _lastMinute.Peek() + Minute - now
            : options.MaxConcurrentJobs > 0 && _running.Count >= options.MaxConcurrentJobs ? _running.Min(static generation => generation.Timeline[^1].At) - now
            : null;
    }

    private void DropOld(DateTimeOffset now)
    {
        while (_lastMinute.TryPeek(out var oldest) && oldest <= now - Minute)
        {
            _lastMinute.Dequeue();
        }
    }
}
