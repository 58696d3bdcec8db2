using System.Collections.Concurrent;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Jobs;

/// <summary>
/// Keeps the creates of an account below its limits: a create waits in this replica, first come first served, until the account has a slot.
/// If the store of slots fails, creates pass: the upstream still has its own limits. Thread-safe.
/// </summary>
internal sealed class JobSlots(ISlotStore store, JobLimits limits, IOptions<JobsOptions> options, JobMetrics metrics, TimeProvider clock)
{
    /// <summary>How long a job holds its slot if no replica sees its final state.</summary>
    public static readonly TimeSpan JobLifetime = TimeSpan.FromHours(1);

    /// <summary>How often the first waiting create of a replica tries to take a slot.</summary>
    private static readonly TimeSpan TryInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>How long an account counts as saturated after the last create that found no slot: the longest <c>Retry-After</c> and the longest <c>Waiting:PollEvery</c>.</summary>
    private static readonly TimeSpan SaturatedTime = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, WaitingCreates> _waiting = new(StringComparer.Ordinal);
    private long _failedAt = long.MinValue;

    /// <summary>
    /// The accounts for which creates wait in this replica, or for which one has found no slot within <see cref="SaturatedTime"/>: with a short <c>Jobs:QueueTimeout</c>, no create may wait
    /// when the property is read.
    /// </summary>
    public IEnumerable<string> SaturatedAccounts
    {
        get
        {
            var since = clock.GetTimestamp() - (SaturatedTime.Ticks * clock.TimestampFrequency / TimeSpan.TicksPerSecond);
            return _waiting.Where(pair => pair.Value.NeedsSlots(since)).Select(static pair => pair.Key);
        }
    }

    /// <summary>Takes a slot of the account that has one first, after waiting for it at most <c>Jobs:QueueTimeout</c>.</summary>
    /// <param name="accounts">The accounts. The create has its place in the queue of the first one.</param>
    /// <param name="lifetime">How long the create holds the slot until it has an id: longer than it can take.</param>
    /// <param name="deadline">Ends the wait, as <c>Jobs:QueueTimeout</c> does.</param>
    /// <param name="cancellationToken">Gives the place in the queue up.</param>
    public ValueTask<SlotResult> AcquireAsync(IReadOnlyList<string> accounts, TimeSpan lifetime, CancellationToken deadline, CancellationToken cancellationToken) =>
        accounts.All(account => limits.Of(account).AreSet) ? new(WaitAsync(accounts, lifetime, deadline, cancellationToken)) : ValueTask.FromResult(default(SlotResult));

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
            var result = await TryTakeAsync(account, limit, lifetime);
            if (result.RetryAfter == TimeSpan.Zero)
            {
                RecordBlocked(QueueOf(account));
            }

            return result;
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

    private async Task<SlotResult> WaitAsync(IReadOnlyList<string> accounts, TimeSpan lifetime, CancellationToken deadline, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(deadline, cancellationToken);
        var queues = accounts.Select(QueueOf).ToList();
        var isBlocked = false; // by jobs that hold the slots; the limit per minute ends by itself
        var start = clock.GetTimestamp();
        var previous = queues[0].Enqueue(out var place);
        queues.ForEach(static queue => queue.Add());
        metrics.AddWaiting(1, accounts[0]);
        try
        {
            if (!previous.IsCompleted)
            {
                await previous.WaitAsync(options.Value.QueueTimeout, clock, ending.Token);
            }

            if (Volatile.Read(ref _failedAt) >= start)
            {
                WaitingCreates.Dequeue(previous, place); // the store has failed: creates that try one after another would each wait for its timeout
            }

            while (true)
            {
                var result = await TryTakeAnyAsync(accounts, lifetime);
                isBlocked = result.RetryAfter == TimeSpan.Zero;
                if (result.RetryAfter is not { } blocked)
                {
                    return result;
                }

                var left = options.Value.QueueTimeout - clock.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || blocked > left)
                {
                    return Saturated(accounts[0], blocked);
                }

                await Task.Delay(left < TryInterval ? left : TryInterval, clock, ending.Token);
            }
        }
        catch (Exception exception) when (exception is TimeoutException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return Saturated(accounts[0], TimeSpan.Zero);
        }
        catch (LedgerUnavailableException)
        {
            Volatile.Write(ref _failedAt, clock.GetTimestamp());
            return default;
        }
        finally
        {
            metrics.AddWaiting(-1, accounts[0]);
            if (isBlocked)
            {
                queues.ForEach(RecordBlocked);
            }

            queues.ForEach(static queue => queue.Remove());
            WaitingCreates.Dequeue(previous, place);
        }
    }

    private WaitingCreates QueueOf(string account) => _waiting.GetOrAdd(account, static _ => new WaitingCreates());

    private void RecordBlocked(WaitingCreates queue) => queue.RecordBlocked(clock.GetTimestamp());

    /// <summary>A slot of the first account with a free one; otherwise the shortest time until one of them can have one.</summary>
    private async Task<SlotResult> TryTakeAnyAsync(IReadOnlyList<string> accounts, TimeSpan lifetime)
    {
        var shortest = TimeSpan.MaxValue;
        foreach (var account in accounts)
        {
            var result = await TryTakeAsync(account, limits.Of(account), lifetime);
            if (result.RetryAfter is not { } blocked)
            {
                _waiting[account].RecordGrant(clock.GetUtcNow());
                return result;
            }

            shortest = blocked < shortest ? blocked : shortest;
        }

        return new SlotResult(null, shortest);
    }

    private async Task<SlotResult> TryTakeAsync(string account, SlotLimits limit, TimeSpan lifetime)
    {
        var slot = new JobSlot(account, NewLease());
        try
        {
            return await store.TryTakeAsync(account, slot.Lease, limit, lifetime) is { } blocked ? new SlotResult(null, blocked) : new SlotResult(slot, null);
        }
        catch (LedgerUnavailableException)
        {
            _ = ReleaseAsync(slot); // the slot may be taken, and only the response be lost
            throw;
        }
    }

    /// <summary>When the limit per minute ends, if it is reached; otherwise the time between the last two slots of the account in this replica.</summary>
    private SlotResult Saturated(string account, TimeSpan blocked)
    {
        metrics.RecordSaturated(account);
        return new SlotResult(null, blocked > TimeSpan.Zero ? blocked : _waiting[account].GrantInterval ?? options.Value.QueueTimeout);
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
}
