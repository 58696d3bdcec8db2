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

    /// <summary>Runs the create if it is below the limits. Returns the refusal if it is not; otherwise null.</summary>
    public LimitRefusal? TryCreate(Func<SandboxGeneration> create, out SandboxGeneration? generation)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            generation = null;
            if (FindRefusal(now) is { } refusal)
            {
                log.RecordRefusedCreate();
                return refusal;
            }

            generation = create();
            _running.Add(generation);
            _lastMinute.Enqueue(now);
            return null;
        }
    }

    private LimitRefusal? FindRefusal(DateTimeOffset now)
    {
        _running.RemoveAll(generation => generation.StateAt(now) is GenerationState.Completed or GenerationState.Failed);
        DropOld(now);

        return options.MaxCreatesPerMinute > 0 && _lastMinute.Count >= options.MaxCreatesPerMinute ? new LimitRefusal(_lastMinute.Peek() + Minute - now, IsConcurrency: false)
            : options.MaxConcurrentJobs > 0 && _running.Count >= options.MaxConcurrentJobs ? new LimitRefusal(_running.Min(static generation => generation.Timeline[^1].At) - now, IsConcurrency: true)
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

/// <summary>A create above one of the limits.</summary>
/// <param name="Wait">How long until the limit allows a create.</param>
/// <param name="IsConcurrency">Whether too many jobs run; otherwise there were too many creates in the last minute.</param>
internal sealed record LimitRefusal(TimeSpan Wait, bool IsConcurrency);
