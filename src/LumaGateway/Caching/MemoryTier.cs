using LumaGateway.Problems;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Internal;
using Microsoft.Extensions.Options;

namespace LumaGateway.Caching;

/// <summary>Answers in this process, bounded by bytes. Thread-safe.</summary>
internal sealed class MemoryTier(IOptions<CacheOptions> options, TimeProvider clock) : IDisposable
{
    private readonly MemoryCache _cache = new(new MemoryCacheOptions
    {
        SizeLimit = options.Value.MemoryBytes,
        CompactionPercentage = 0.05,
        Clock = new SystemClock(clock), // the one by which entries are fresh
    });

    private readonly Lock _keeping = new();

    public Held? Find(CacheKey key) => _cache.TryGetValue(key.Id, out var held) ? (Held?)held : null;

    /// <summary>Keeps an entry, unless one is held that <see cref="CacheEntry.Outranks"/> it. Gives back what is held now.</summary>
    public Held Keep(Held held)
    {
        var key = held.Entry.Subject;
        var now = clock.GetUtcNow();
        lock (_keeping)
        {
            if (Find(key) is { } known && known.Entry.Outranks(held.Entry, now))
            {
                return known;
            }

            // Freshness is in the entry; this expiry is only garbage collection.
            var until = held.Entry.Kind is EntryKind.Final ? held.Entry.CoverUntil : held.Entry.FreshUntil;
            var life = until - now;
            if (life > TimeSpan.Zero)
            {
                using var slot = _cache.CreateEntry(key.Id);
                slot.Value = held;
                slot.Size = held.Entry.Size;
                slot.AbsoluteExpirationRelativeToNow = life;
            }

            return held;
        }
    }

    /// <summary>
    /// Until when an entry that is kept now is believed without a look at Redis, as a timestamp of the clock: whoever sets the wall clock does not change it.
    /// </summary>
    /// <param name="hasRedis">Whether there is a Redis; without one, memory is believed for good.</param>
    public long LookAgainAt(bool hasRedis) =>
        hasRedis ? clock.GetTimestamp() + (long)(options.Value.MemoryLifetime.TotalSeconds * clock.TimestampFrequency) : long.MaxValue;

    public void Forget(CacheKey key) => _cache.Remove(key.Id);

    public void Dispose() => _cache.Dispose();

    private sealed class SystemClock(TimeProvider clock) : ISystemClock
    {
        public DateTimeOffset UtcNow => clock.GetUtcNow();
    }
}

/// <summary>An entry in memory with what only this process knows of it. Thread-safe.</summary>
/// <param name="entry">The answer.</param>
/// <param name="lookAgainAt">From when Redis, if there is one, is to be looked at before this is believed, as a timestamp of the clock.</param>
/// <param name="epoch">The key's purge mark when the answer was fetched or found.</param>
/// <param name="verifiedAt">
/// When the answer was last known to be right, as a timestamp of the clock: its fetch began, or the look began that found it in Redis or its mark unchanged.
/// </param>
internal sealed class Held(CacheEntry entry, long lookAgainAt, string? epoch, long verifiedAt)
{
    private long _refreshFrom;
    private volatile Cover? _covers;

    public CacheEntry Entry => entry;

    public long LookAgainAt => lookAgainAt;

    public string? Epoch => epoch;

    public long VerifiedAt => verifiedAt;

    /// <summary>Whether it can be given without asking anybody.</summary>
    /// <param name="now">The time of day.</param>
    /// <param name="timestamp">The same moment as a timestamp of the clock.</param>
    public bool MayBeGiven(DateTimeOffset now, long timestamp) => entry.IsFresh(now) && timestamp < lookAgainAt;

    /// <summary>What this answer covers since the last try to refresh it; null when it covers nothing.</summary>
    public Cover? Covers => _covers;

    public void Cover(UpstreamException? fault, DateTimeOffset retryAt)
    {
        Volatile.Write(ref _refreshFrom, retryAt.UtcTicks);
        _covers = new Cover(fault);
    }

    /// <summary>True for one caller at a time: it is the one to refresh the answer. The next is let through at <paramref name="nextAt"/>.</summary>
    public bool TryClaimRefresh(DateTimeOffset now, DateTimeOffset nextAt)
    {
        var from = Volatile.Read(ref _refreshFrom);
        return now.UtcTicks >= from && Interlocked.CompareExchange(ref _refreshFrom, nextAt.UtcTicks, from) == from;
    }
}

/// <summary>Why an answer past its freshness is given.</summary>
/// <param name="Fault">The origin's fault; null where the origin answered as if what was final were not.</param>
internal sealed record Cover(UpstreamException? Fault);
