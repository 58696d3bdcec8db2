namespace LumaGateway.Caching;

/// <summary>
/// The longest times that the settings of this gateway give an entry. Entries read from Redis are limited to them: another program, or a replica with
/// other settings, may have written them. Pure.
/// </summary>
/// <param name="Final">The longest freshness of a final entry.</param>
/// <param name="Interim">The longest freshness of an interim entry.</param>
/// <param name="Absent">The longest freshness of a not-found entry.</param>
/// <param name="Cover">How long a final entry may be served stale.</param>
internal sealed record EntryLimits(TimeSpan Final, TimeSpan Interim, TimeSpan Absent, TimeSpan Cover)
{
    /// <summary>
    /// Returns the entry with its times limited, counted from now and from when it was stored. Returns null for a final entry that was stored further in
    /// the future than the longest freshness: it would be fresh again at each read.
    /// </summary>
    public CacheEntry? Bound(CacheEntry entry, DateTimeOffset now)
    {
        var isFinal = entry.Kind is EntryKind.Final;
        var longest = LongestOf(entry.Kind);
        if (isFinal && entry.StoredAt > now + longest)
        {
            return null;
        }

        // Neither fresh nor newer than any entry stored from now on.
        var isFromTheFuture = entry.IsFromTheFuture(now);
        var storedAt = isFromTheFuture ? now : entry.StoredAt;
        var freshUntil = Earlier(entry.FreshUntil, isFromTheFuture ? now : Earlier(storedAt, now) + longest);
        var coverUntil = Earlier(entry.StaleUntil, isFinal ? freshUntil + Cover : freshUntil);
        var askedAt = Earlier(entry.AskedAt, entry.StoredAt); // a time in the future proves nothing and is kept

        return storedAt == entry.StoredAt && freshUntil == entry.FreshUntil && coverUntil == entry.StaleUntil && askedAt == entry.AskedAt
            ? entry
            : new CacheEntry(entry.Subject, entry.Kind, entry.Body, storedAt, freshUntil, coverUntil, entry.Side, askedAt);
    }

    private TimeSpan LongestOf(EntryKind kind) => kind switch
    {
        EntryKind.Final => Final,
        EntryKind.Interim => Interim,
        EntryKind.Absent => Absent,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
