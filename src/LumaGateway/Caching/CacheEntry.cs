using System.IO.Hashing;

namespace LumaGateway.Caching;

/// <summary>How an entry may be treated.</summary>
internal enum EntryKind : byte
{
    /// <summary>The subject will change; the answer is worth a second or two.</summary>
    Interim,

    /// <summary>The subject will not change any more: never replaced by an interim answer, and good as cover past its freshness.</summary>
    Final,

    /// <summary>There is no such subject.</summary>
    Absent,
}

/// <summary>One answer, ready to send, with its own freshness. Never changes, but for headers that it keeps for a second. Thread-safe.</summary>
internal sealed class CacheEntry
{
    private const int Overhead = 256;

    /// <summary>
    /// Replicas' clocks differ a little. How old an answer is that claims to come from further in the future nobody knows: some clock is, or was, wrong.
    /// </summary>
    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromSeconds(2);

    private volatile FreshnessHeaders? _headers;

    public CacheEntry(
        CacheKey subject, EntryKind kind, byte[] body, DateTimeOffset storedAt, DateTimeOffset freshUntil, DateTimeOffset coverUntil, byte[]? side = null,
        DateTimeOffset? askedAt = null)
    {
        AskedAt = askedAt ?? storedAt;
        Side = side ?? [];
        Subject = subject;
        Kind = kind;
        Body = body;
        StoredAt = storedAt;
        FreshUntil = freshUntil;
        CoverUntil = coverUntil;
        ETag = $"\"{Convert.ToHexStringLower(XxHash128.Hash(body))}\"";

        // The last tenth of its life, but not more than a minute: time enough for one refresh that nobody waits for.
        var eager = (freshUntil - storedAt) / 10;
        EagerFrom = kind is EntryKind.Final ? freshUntil - (eager < TimeSpan.FromMinutes(1) ? eager : TimeSpan.FromMinutes(1)) : freshUntil;
    }

    /// <summary>Whose answer it is: an entry found under another key is not believed.</summary>
    public CacheKey Subject { get; }

    public EntryKind Kind { get; }

    /// <summary>UTF-8, as it is sent. Empty for <see cref="EntryKind.Absent"/>.</summary>
    public byte[] Body { get; }

    /// <summary>What the gateway wants to remember beside the answer and never sends. Empty where there is nothing.</summary>
    public byte[] Side { get; }

    /// <summary>Strong validator of <see cref="Body"/> (RFC 9110, section 8.8.3), quotes included; the same on every replica.</summary>
    public string ETag { get; }

    public DateTimeOffset StoredAt { get; }

    /// <summary>
    /// When the exchange began that gave the answer, by the clock of the replica that asked. Of two answers the one asked for later is the newer one, whichever
    /// was read or stored first.
    /// </summary>
    public DateTimeOffset AskedAt { get; }

    public DateTimeOffset FreshUntil { get; }

    /// <summary>Until when a final answer may cover a fault of the upstream (stale-if-error, RFC 5861).</summary>
    public DateTimeOffset CoverUntil { get; }

    /// <summary>From when a fresh final answer is worth refreshing in the background.</summary>
    public DateTimeOffset EagerFrom { get; }

    /// <summary>Bytes that it takes in memory, about.</summary>
    public int Size => Overhead + Body.Length + Side.Length + (2 * Subject.Id.Length);

    /// <summary>Whether it need not be asked for anew. What is final is right whatever a clock says.</summary>
    public bool IsFresh(DateTimeOffset now) => now < FreshUntil && !IsFromTheFuture(now);

    /// <summary>Whether a wrong clock has put a time on it, and that matters.</summary>
    public bool IsFromTheFuture(DateTimeOffset now) => Kind is not EntryKind.Final && StoredAt > now + ClocksDiffer;

    /// <summary>
    /// Whether it stays where <paramref name="other"/> comes to the same key: an interim answer never replaces a final one; else the one asked for later stays. A time of
    /// asking in the future proves nothing: some clock is, or was, wrong.
    /// </summary>
    public bool Outranks(CacheEntry other, DateTimeOffset now) => (Kind, other.Kind) switch
    {
        (EntryKind.Final, EntryKind.Interim) => true,
        (EntryKind.Interim, EntryKind.Final) => false,
        _ => AskedAt > other.AskedAt && AskedAt <= LatestCredible(now),
    };

    /// <summary>The latest time that another replica's clock can have put on something that has happened.</summary>
    public static DateTimeOffset LatestCredible(DateTimeOffset now) => now + ClocksDiffer;

    /// <summary>What headers say of its freshness; the same instance for all who ask within a second.</summary>
    public FreshnessHeaders HeadersAt(DateTimeOffset now)
    {
        var ttl = (long)Math.Floor((FreshUntil - now).TotalSeconds);
        return _headers is { } known && known.Ttl == ttl ? known : _headers = new FreshnessHeaders(Kind, ttl);
    }

    public bool MayCover(DateTimeOffset now) => Kind is EntryKind.Final && now < CoverUntil;
}
