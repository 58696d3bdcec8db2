using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>
/// A lock in Redis that this replica holds while it fetches a key. Renewed until it is disposed of; expires by itself if the replica dies. Never throws.
/// </summary>
internal sealed class FetchLock : IDisposable
{
    private readonly RedisEntries _entries;
    private readonly ITimer _renewal;
    private bool _isReleased;

    /// <param name="entries">Renews and releases.</param>
    /// <param name="names">The names of the locked key.</param>
    /// <param name="owner">The id under which the lock was acquired.</param>
    /// <param name="lifetime">The life of the lock in Redis; it is renewed three times as often.</param>
    /// <param name="clock">The clock of the renewals.</param>
    public FetchLock(RedisEntries entries, RedisKey[] names, string owner, TimeSpan lifetime, TimeProvider clock)
    {
        (_entries, Names, Owner) = (entries, names, owner);
        _renewal = clock.CreateTimer(_ => Ignore(entries.ExtendLockAsync(names, owner, lifetime)), null, lifetime / 3, lifetime / 3);
    }

    /// <summary>The names of the locked key, in the order of <see cref="CacheScripts"/>.</summary>
    public RedisKey[] Names { get; }

    public string Owner { get; }

    /// <summary>Notes that Redis has released the lock together with the write of the entry.</summary>
    public void MarkReleased() => _isReleased = true;

    /// <summary>Ends the renewal and releases the lock. No caller waits for it: a lock that cannot be released expires.</summary>
    public void Dispose()
    {
        _renewal.Dispose();
        if (!_isReleased)
        {
            _isReleased = true;
            Ignore(_entries.ReleaseLockAsync(Names, Owner));
        }
    }

    /// <summary>Observes the exception of a step that no caller waits for.</summary>
    private static void Ignore(Task step) => step.ContinueWith(
        static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
