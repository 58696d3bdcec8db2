using System.Buffers.Binary;
using System.IO.Hashing;
using LumaGateway.Contracts;

namespace LumaGateway.Caching;

/// <summary>The kind of a cache entry.</summary>
internal enum EntryKind : byte
{
    /// <summary>The generation has an interim state, or it is completed without a link, which may still appear; the entry is fresh for one or two seconds.</summary>
    Interim,

    /// <summary>The generation is completed with a link, or failed: an interim entry never replaces it, and it can be served stale.</summary>
    Final,

    /// <summary>The upstream does not know the id.</summary>
    NotFound,
}

/// <summary>One response body, ready to send, with its freshness. Immutable, except for headers that are cached for a second. Thread-safe.</summary>
internal sealed class CacheEntry
{
    private const int Overhead = 256;
    private const int HashBytes = 16;

    /// <summary>The allowed difference between the clocks of replicas. A time further in the future is ignored: a clock is or was wrong.</summary>
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(2);

    private volatile FreshnessHeaders? _headers;

    public CacheEntry(GenerationId key, EntryKind kind, byte[] body, DateTimeOffset storedAt, DateTimeOffset freshUntil, DateTimeOffset staleUntil)
    {
        Key = key;
        Kind = kind;
        Body = body;
        StoredAt = storedAt;
        RequestedAt = storedAt;
        FreshUntil = freshUntil;
        StaleUntil = staleUntil;
        ETag = ETagOf(body);

        // The last tenth of the freshness, at most one minute: time for one refresh in the background.
        var refreshAhead = (freshUntil - storedAt) / 10;
        RefreshFrom = kind is EntryKind.Final ? freshUntil - (refreshAhead < TimeSpan.FromMinutes(1) ? refreshAhead : TimeSpan.FromMinutes(1)) : freshUntil;
    }

    /// <summary>The key of the entry. An entry that is stored under another key is ignored.</summary>
    public GenerationId Key { get; }

    public EntryKind Kind { get; }

    /// <summary>The body as sent, UTF-8. Empty for <see cref="EntryKind.NotFound"/>.</summary>
    public byte[] Body { get; }

    /// <summary>Data of the gateway that is never sent. May be empty.</summary>
    public byte[] Metadata { get; init; } = [];

    /// <summary>Whether the upstream's state is one that the gateway does not know. The body says processing then.</summary>
    public bool IsStateUnknown { get; init; }

    /// <summary>Strong validator of <see cref="Body"/> (RFC 9110, section 8.8.3), with quotes; equal on all replicas.</summary>
    public string ETag { get; }

    public DateTimeOffset StoredAt { get; }

    /// <summary>
    /// When the upstream request of this entry began, by the clock of the replica that sent it. Of two entries, the one requested later is newer.
    /// The default is <see cref="StoredAt"/>.
    /// </summary>
    public DateTimeOffset RequestedAt { get; init; }

    public DateTimeOffset FreshUntil { get; }

    /// <summary>Until when a final entry may be served stale over an upstream fault (stale-if-error, RFC 5861).</summary>
    public DateTimeOffset StaleUntil { get; }

    /// <summary>From when a fresh final entry is refreshed in the background (refresh-ahead).</summary>
    public DateTimeOffset RefreshFrom { get; }

    /// <summary>Approximate size in memory, bytes.</summary>
    public int Size => Overhead + Body.Length + Metadata.Length + (2 * Key.Value.Length);

    /// <summary>Whether the entry is fresh. A final entry is valid whatever the clock of its writer says.</summary>
    public bool IsFresh(DateTimeOffset now) => now < FreshUntil && !IsFromTheFuture(now);

    /// <summary>Whether the entry is fresh and not yet due for refresh-ahead: a refresh must not end with the entry that it is to replace.</summary>
    public bool IsFreshBeforeRefresh(DateTimeOffset now) => IsFresh(now) && now < RefreshFrom;

    /// <summary>Whether the entry is final and fresh, or was requested at or after <paramref name="notBefore"/> by a replica whose clock is right.</summary>
    public bool IsRecent(DateTimeOffset now, DateTimeOffset notBefore) =>
        Kind is EntryKind.Final ? IsFreshBeforeRefresh(now) : RequestedAt >= notBefore && RequestedAt <= LatestCredible(now);

    /// <summary>Whether an interim entry has a time in the future, written by a wrong clock.</summary>
    public bool IsFromTheFuture(DateTimeOffset now) => Kind is not EntryKind.Final && StoredAt > now + MaxClockSkew;

    /// <summary>
    /// Whether this entry is kept instead of <paramref name="other"/> of the same key: an interim entry never replaces a final one; otherwise the one
    /// requested later is kept. A request time in the future is ignored.
    /// </summary>
    public bool Outranks(CacheEntry other, DateTimeOffset now) => (Kind, other.Kind) switch
    {
        (EntryKind.Final, EntryKind.Interim) => true,
        (EntryKind.Interim, EntryKind.Final) => false,
        _ => RequestedAt > other.RequestedAt && RequestedAt <= LatestCredible(now),
    };

    /// <summary>The latest time that a correct clock of another replica can show now.</summary>
    public static DateTimeOffset LatestCredible(DateTimeOffset now) => now + MaxClockSkew;

    /// <summary>The freshness headers; the same instance for all responses within a second.</summary>
    public FreshnessHeaders HeadersAt(DateTimeOffset now)
    {
        var ttl = (long)Math.Floor((FreshUntil - now).TotalSeconds);
        return _headers is { } known && known.Ttl == ttl ? known : _headers = new FreshnessHeaders(Kind, ttl);
    }

    public bool CanServeStale(DateTimeOffset now) => Kind is EntryKind.Final && now < StaleUntil;

    private static string ETagOf(ReadOnlySpan<byte> body) => string.Create(2 + (2 * HashBytes), XxHash128.HashToUInt128(body), static (text, hash) =>
    {
        Span<byte> bytes = stackalloc byte[HashBytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, hash);
        (text[0], text[^1]) = ('"', '"');
        Convert.TryToHexStringLower(bytes, text[1..], out _);
    });
}
