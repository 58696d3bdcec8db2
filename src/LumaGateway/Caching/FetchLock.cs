using LumaGateway.Time;
using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>
/// A lock in Redis that this replica holds while it fetches a key. Renewed until it is disposed of; expires by itself if the replica dies. Never throws.
/// </summary>
internal sealed class FetchLock : IDisposable
{
    private readonly RedisEntries _entries;
    private readonly SharedTimeout _renewals;
    private CancellationTokenRegistration _renewal;
    private volatile bool _isDisposed;
    private bool _isReleased;

    /// <param name="entries">Renews and releases.</param>
    /// <param name="names">The names of the locked key.</param>
    /// <param name="owner">The id under which the lock was acquired.</param>
    /// <param name="renewals">When the lock is renewed.</param>
    public FetchLock(RedisEntries entries, RedisKey[] names, string owner, SharedTimeout renewals)
    {
        (_entries, Names, Owner, _renewals) = (entries, names, owner, renewals);
        RenewLater();
    }

    /// <summary>The names of the locked key, in the order of <see cref="CacheScripts"/>.</summary>
    public RedisKey[] Names { get; }

    public string Owner { get; }

    /// <summary>Notes that Redis has released the lock together with the write of the entry.</summary>
    public void MarkReleased() => _isReleased = true;

    /// <summary>Ends the renewal and releases the lock. No caller waits for it: a lock that cannot be released expires.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _renewal.Unregister();
        if (!_isReleased)
        {
            _isReleased = true;
            Ignore(_entries.ReleaseLockAsync(Names, Owner));
        }
    }

    private void RenewLater() => _renewal = _renewals.GetToken(out _).UnsafeRegister(static held => ((FetchLock)held!).Renew(), this);

    /// <summary>Does nothing after the disposal. A lock that is disposed of during a renewal may leave one registration, which runs once.</summary>
    private void Renew()
    {
        if (!_isDisposed)
        {
            Ignore(_entries.ExtendLockAsync(Names, Owner));
            RenewLater();
        }
    }

    /// <summary>Observes the exception of a step that no caller waits for.</summary>
    private static void Ignore(Task step) => step.ContinueWith(
        static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
}
