using System.Collections.Concurrent;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Jobs;

/// <summary>
/// Keeps the creates of an account below its limits: a create waits in this replica, first come first served, until the account has a slot. If the store of slots fails,
/// creates pass: the upstream still has its own limits. Thread-safe.
/// </summary>
internal sealed class JobSlots(ISlotStore store, JobLimits limits, IOptions<JobsOptions> options, JobMetrics metrics, TimeProvider clock)
{
    /// <summary>How long a job holds its slot if no replica sees its final state.</summary>
    public static readonly TimeSpan JobLifetime = TimeSpan.FromHours(1);

    /// <summary>How often the first waiting create of a replica tries to take a slot.</summary>
    private static readonly TimeSpan TryInterval = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<string, WaitingCreates> _waiting = new(StringComparer.Ordinal);

    /// <summary>The accounts for which creates wait in this replica.</summary>
    public IEnumerable<string> AccountsWithWaiters => _waiting.Where(static pair => pair.Value.Count > 0).Select(static pair => pair.Key);

    /// <summary>Takes a slot, after waiting for it at most <c>Jobs:QueueTimeout</c>.</summary>
    /// <param name="account">The account.</param>
    /// <param name="lifetime">How long the create holds the slot until it has an id: longer than it can take.</param>
    /// <param name="cancellationToken">Gives the place in the queue up.</param>
    public ValueTask<SlotResult> AcquireAsync(string account, TimeSpan lifetime, CancellationToken cancellationToken) =>
        limits.Of(account) is { AreSet: true } limit ? new(WaitAsync(account, limit, lifetime, cancellationToken)) : ValueTask.FromResult(default(SlotResult));

    /// <summary>Takes a slot if one is free and no create waits for it in this replica. Does not wait.</summary>
    /// <param name="account">The account.</param>
    /// <param name="lifetime">As for <see cref="AcquireAsync"/>.</param>
    public async ValueTask<SlotResult> TryAcquireAsync(string account, TimeSpan lifetime)
    {
        if (limits.Of(account) is not { AreSet: true } limit)
        {
            return default;
        }

        if (_waiting.TryGetValue(account, out var waiting) && waiting.Count > 0)
        {
            return new SlotResult(null, TimeSpan.Zero);
        }

        try
        {
            var lease = NewLease();
            return await store.TryTakeAsync(account, lease, limit, lifetime) is { } blocked ? new SlotResult(null, blocked) : new SlotResult(new JobSlot(account, lease), null);
        }
        catch (LedgerUnavailableException)
        {
            return default;
        }
    }

    /// <summary>The create of the slot made a generation. Does not throw.</summary>
    public Task BindAsync(JobSlot slot, GenerationId id) => TryAsync(() => store.BindAsync(slot.Account, slot.Lease, id, JobLifetime));

    /// <summary>The create of the slot made no generation. Does not throw.</summary>
    public Task ReleaseAsync(JobSlot slot) => TryAsync(() => store.ReleaseAsync(slot.Account, slot.Lease));

    /// <summary>The job is final. Does not throw.</summary>
    public Task ReleaseAsync(string account, GenerationId id) => limits.Of(account).AreSet ? TryAsync(() => store.ReleaseAsync(account, id.Value)) : Task.CompletedTask;

    /// <summary>The jobs that hold a slot; none if the store fails.</summary>
    public async Task<IReadOnlyList<GenerationId>> HoldersAsync(string account)
    {
        try
        {
            return await store.HoldersAsync(account);
        }
        catch (LedgerUnavailableException)
        {
            return [];
        }
    }

    private static string NewLease() => Guid.NewGuid().ToString("N") + "/"; // never an id

    private async Task<SlotResult> WaitAsync(string account, SlotLimits limit, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        var waiting = _waiting.GetOrAdd(account, static _ => new WaitingCreates());
        var start = clock.GetTimestamp();
        var previous = waiting.Enqueue(out var place);
        metrics.AddWaiting(1);
        try
        {
            var left = options.Value.QueueTimeout;
            if (!previous.IsCompleted)
            {
                await previous.WaitAsync(left, clock, cancellationToken);
            }

            while (true)
            {
                var lease = NewLease();
                if (await store.TryTakeAsync(account, lease, limit, lifetime) is not { } blocked)
                {
                    waiting.RecordGrant(clock.GetUtcNow());
                    return new SlotResult(new JobSlot(account, lease), null);
                }

                left = options.Value.QueueTimeout - clock.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || blocked > left)
                {
                    return Saturated(waiting, blocked);
                }

                await Task.Delay(left < TryInterval ? left : TryInterval, clock, cancellationToken);
            }
        }
        catch (TimeoutException)
        {
            return Saturated(waiting, TimeSpan.Zero);
        }
        catch (LedgerUnavailableException)
        {
            return default;
        }
        finally
        {
            metrics.AddWaiting(-1);
            waiting.Dequeue(previous, place);
        }
    }

    /// <summary>When the limit per minute ends, if it is reached; otherwise the time in which this replica got its last slot.</summary>
    private SlotResult Saturated(WaitingCreates waiting, TimeSpan blocked)
    {
        metrics.RecordSaturated();
        return new SlotResult(null, blocked > TimeSpan.Zero ? blocked : waiting.GrantInterval ?? options.Value.QueueTimeout);
    }

    private static async Task TryAsync(Func<Task> change)
    {
        try
        {
            await change();
        }
        catch (LedgerUnavailableException)
        {
            // The lease expires by itself.
        }
    }

    /// <summary>The creates that wait for one account: each waits for the end of the one before it. Thread-safe.</summary>
    private sealed class WaitingCreates
    {
        private readonly Lock _gate = new();
        private Task _last = Task.CompletedTask;
        private DateTimeOffset? _grantedAt;
        private int _count;

        public int Count => Volatile.Read(ref _count);

        /// <summary>The time between the last two slots; null before.</summary>
        public TimeSpan? GrantInterval { get; private set; }

        /// <summary>Returns the task that ends when all earlier creates have ended their wait.</summary>
        public Task Enqueue(out TaskCompletionSource place)
        {
            place = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                _count++;
                var previous = _last;
                _last = place.Task;
                return previous;
            }
        }

        /// <summary>Lets the next create try, as soon as all earlier ones have ended their wait.</summary>
        public void Dequeue(Task previous, TaskCompletionSource place)
        {
            Interlocked.Decrement(ref _count);
            if (previous.IsCompleted)
            {
                place.SetResult();
            }
            else
            {
                _ = previous.ContinueWith(static (_, place) => ((TaskCompletionSource)place!).SetResult(), place, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }

        public void RecordGrant(DateTimeOffset now)
        {
            lock (_gate)
            {
                GrantInterval = now - _grantedAt;
                _grantedAt = now;
            }
        }
    }
}

/// <summary>The result of asking for a slot.</summary>
/// <param name="Slot">The slot; null if the account has no limits, or is saturated.</param>
/// <param name="RetryAfter">When to try again, if the account is saturated; otherwise null.</param>
internal readonly record struct SlotResult(JobSlot? Slot, TimeSpan? RetryAfter);

/// <summary>A slot that a create holds. Also a request feature.</summary>
/// <param name="Account">The account.</param>
/// <param name="Lease">The name of the lease.</param>
internal sealed record JobSlot(string Account, string Lease);
