namespace LumaGateway.Caching;

/// <summary>
/// The longest times that this gateway's own settings give an entry. What is read from Redis is held to them: another program, or a replica with other settings, may
/// have written it. Pure.
/// </summary>
/// <param name="Final">The longest freshness of a final answer.</param>
/// <param name="Interim">The longest freshness of an interim answer.</param>
/// <param name="Absent">The longest freshness of the answer that there is no such subject.</param>
/// <param name="Cover">How long past its freshness a final answer may cover a fault of the upstream.</param>
internal sealed record EntryLimits(TimeSpan Final, TimeSpan Interim, TimeSpan Absent, TimeSpan Cover)
{
    /// <summary>
    /// The entry with no time later than the limits allow, counted from now and from when it was stored; the entry itself where it keeps to them. Null for a final answer
    /// that claims to be stored later than the longest freshness from now: it would be fresh anew each time it is read.
    /// </summary>
    public CacheEntry? Bound(CacheEntry entry, DateTimeOffset now)
    {
        var isFinal = entry.Kind is EntryKind.Final;
        var longest = LongestOf(entry.Kind);
        if (isFinal && entry.StoredAt > now + longest)
        {
            return null;
        }

        // Neither fresh, nor newer than what is stored from now on.
        var isFromTheFuture = entry.IsFromTheFuture(now);
        var storedAt = isFromTheFuture ? now : entry.StoredAt;
        var freshUntil = Earlier(entry.FreshUntil, isFromTheFuture ? now : Earlier(storedAt, now) + longest);
        var coverUntil = Earlier(entry.CoverUntil, isFinal ? freshUntil + Cover : freshUntil);
        var askedAt = Earlier(entry.AskedAt, entry.StoredAt); // in the future it proves nothing, and is left there

        return storedAt == entry.StoredAt && freshUntil == entry.FreshUntil && coverUntil == entry.CoverUntil && askedAt == entry.AskedAt
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
