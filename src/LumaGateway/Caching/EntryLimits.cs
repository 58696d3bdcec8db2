namespace LumaGateway.Caching;

/// <summary>
/// The longest times that the settings of this gateway give an entry. Entries read from Redis are limited to them: another program, or a replica with
/// other settings, may have written them. Pure.
/// </summary>
/// <param name="Final">The longest freshness of a final entry.</param>
/// <param name="Interim">The longest freshness of an interim entry.</param>
/// <param name="NotFound">The longest freshness of a not-found entry.</param>
/// <param name="Stale">How long a final entry may be served stale.</param>
internal sealed record EntryLimits(TimeSpan Final, TimeSpan Interim, TimeSpan NotFound, TimeSpan Stale)
{
    /// <summary>
    /// Returns the entry with its times limited, counted from now and from when it was stored. Returns null for a final entry that was stored further in
    /// the future than the longest freshness: it would be fresh again at each read.
    /// </summary>
    public CacheEntry? Clamp(CacheEntry entry, DateTimeOffset now)
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
        var staleUntil = Earlier(entry.StaleUntil, isFinal ? freshUntil + Stale : freshUntil);
        var requestedAt = Earlier(entry.RequestedAt, entry.StoredAt); // a time in the future proves nothing and is kept

        return storedAt == entry.StoredAt && freshUntil == entry.FreshUntil && staleUntil == entry.StaleUntil && requestedAt == entry.RequestedAt
            ? entry
            : new CacheEntry(entry.Key, entry.Kind, entry.Body, storedAt, freshUntil, staleUntil) { Metadata = entry.Metadata, RequestedAt = requestedAt, IsStateUnknown = entry.IsStateUnknown };
    }

    private TimeSpan LongestOf(EntryKind kind) => kind switch
    {
        EntryKind.Final => Final,
        EntryKind.Interim => Interim,
        EntryKind.NotFound => NotFound,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
