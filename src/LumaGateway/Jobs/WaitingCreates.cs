namespace LumaGateway.Jobs;

/// <summary>The creates that wait for a slot of one account in this replica. Each waits for the end of the one before it. Thread-safe.</summary>
internal sealed class WaitingCreates
{
    private readonly Lock _gate = new();
    private Task _last = Task.CompletedTask;
    private DateTimeOffset? _grantedAt;
    private long _blockedAt = long.MinValue;
    private int _count;

    /// <summary>The creates that wait for the account, also those that wait in the queue of another account.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The time between the last two slots; null before.</summary>
    public TimeSpan? GrantInterval { get; private set; }

    /// <summary>Counts a create that waits for this account, and possibly for others.</summary>
    public void Add() => Interlocked.Increment(ref _count);

    /// <summary>Removes a create that <see cref="Add"/> counted.</summary>
    public void Remove() => Interlocked.Decrement(ref _count);

    /// <summary>Takes the last place in the queue. Returns the task that ends when all earlier creates have ended their wait.</summary>
    public Task Enqueue(out TaskCompletionSource place)
    {
        place = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            var previous = _last;
            _last = place.Task;
            return previous;
        }
    }

    /// <summary>Lets the next create try, as soon as all earlier ones have ended their wait. A second call has no effect.</summary>
    public static void Dequeue(Task previous, TaskCompletionSource place)
    {
        if (previous.IsCompleted)
        {
            place.TrySetResult();
        }
        else
        {
            _ = previous.ContinueWith(static (_, place) => ((TaskCompletionSource)place!).TrySetResult(), place, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <summary>A create has ended its wait without a slot, because all slots were held.</summary>
    /// <param name="now">The timestamp of the clock.</param>
    public void RecordBlocked(long now) => Volatile.Write(ref _blockedAt, now);

    /// <summary>Whether a create waits, or one has ended its wait without a slot at this timestamp or later.</summary>
    public bool NeedsSlots(long since) => Count > 0 || Volatile.Read(ref _blockedAt) >= since;

    public void RecordGrant(DateTimeOffset now)
    {
        lock (_gate)
        {
            GrantInterval = now - _grantedAt;
            _grantedAt = now;
        }
    }
}
