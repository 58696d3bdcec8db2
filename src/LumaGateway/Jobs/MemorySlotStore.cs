using LumaGateway.Contracts;

namespace LumaGateway.Jobs;

/// <summary>The slots of a gateway without Redis, in this process.</summary>
internal sealed class MemorySlotStore(TimeProvider clock) : ISlotStore
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, AccountSlots> _accounts = new(StringComparer.Ordinal);

    public Task<TimeSpan?> TryTakeAsync(string account, string lease, SlotLimits limits, TimeSpan lifetime)
    {
        lock (_gate)
        {
            var (slots, now) = (Of(account), clock.GetUtcNow());
            if (limits.CreatesPerMinute > 0 && slots.Creates.Count >= limits.CreatesPerMinute)
            {
                return Task.FromResult<TimeSpan?>(slots.Creates.Peek() + Minute - now);
            }

            if (limits.ConcurrentJobs > 0 && slots.ExpiryByHolder.Count >= limits.ConcurrentJobs)
            {
                return Task.FromResult<TimeSpan?>(TimeSpan.Zero);
            }

            slots.ExpiryByHolder[lease] = now + lifetime;
            slots.Creates.Enqueue(now);
            return Task.FromResult<TimeSpan?>(null);
        }
    }

    public Task BindAsync(string account, string lease, GenerationId id, TimeSpan lifetime)
    {
        lock (_gate)
        {
            Of(account).ExpiryByHolder.Remove(lease);
            Of(account).ExpiryByHolder[id.Value] = clock.GetUtcNow() + lifetime;
        }

        return Task.CompletedTask;
    }

    public Task ReleaseAsync(string account, string holder)
    {
        lock (_gate)
        {
            Of(account).ExpiryByHolder.Remove(holder);
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<GenerationId>> HoldersAsync(string account)
    {
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<GenerationId>>(
                [.. Of(account).ExpiryByHolder.Keys.Select(static holder => GenerationId.TryParse(holder, null, out var id) ? id : default).Where(static id => id.Value.Length > 0)]);
        }
    }

    /// <summary>The slots of an account, without what has expired.</summary>
    private AccountSlots Of(string account)
    {
        if (!_accounts.TryGetValue(account, out var slots))
        {
            _accounts[account] = slots = new AccountSlots([], new Queue<DateTimeOffset>());
        }

        var now = clock.GetUtcNow();
        foreach (var (holder, expiry) in slots.ExpiryByHolder)
        {
            if (expiry <= now)
            {
                slots.ExpiryByHolder.Remove(holder);
            }
        }

        while (slots.Creates.TryPeek(out var oldest) && oldest + Minute <= now)
        {
            slots.Creates.Dequeue();
        }

        return slots;
    }

    private sealed record AccountSlots(Dictionary<string, DateTimeOffset> ExpiryByHolder, Queue<DateTimeOffset> Creates);
}
