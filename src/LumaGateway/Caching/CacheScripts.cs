using StackExchange.Redis;

namespace LumaGateway.Caching;

/// <summary>The result of writing an entry to Redis.</summary>
internal enum WriteResult
{
    /// <summary>The key was purged since the token was read: the entry may be from before the purge.</summary>
    Invalidated = 0,

    /// <summary>The entry is stored.</summary>
    Stored = 1,

    /// <summary>Redis holds an entry that was requested later.</summary>
    Outdated = 2,
}

/// <summary>The result of the script that acquires the lock.</summary>
internal enum LockState
{
    /// <summary>The caller holds the lock.</summary>
    Acquired,

    /// <summary>Another replica holds the lock.</summary>
    Taken,

    /// <summary>There is a final entry, so the lock was not tried.</summary>
    Final,
}

/// <summary>
/// The scripts that change the four Redis names of a key (final, interim, token, lock) atomically. Values are hashes with the fields of <c>RedisCache</c>, which
/// reads them, and two more: <c>asked</c>, the request time, and <c>kind</c>. The lock is a string, the id of its holder. Field names and kinds are shared with
/// running versions and stay as they are.
/// </summary>
internal static class CacheScripts
{
    /// <summary>
    /// Acquires the lock unless another replica holds it, then reads: the previous holder has stored an entry by now, or failed. With
    /// <c>unless_final</c> it does not lock if there is a final entry. Reads before it locks: a value of a wrong type ends the script, and Redis undoes nothing. Returns <c>acquired</c>, <c>taken</c> or <c>final</c>, and the token, the final and the interim entry.
    /// </summary>
    public const string Lock = """
        local token = redis.call('HGET', KEYS[3], 'data')
        local final = redis.call('HGET', KEYS[1], 'data')
        local interim = redis.call('HGET', KEYS[2], 'data')
        local lock = 'final'
        if not final or ARGV[3] ~= 'unless_final' then
          lock = redis.call('SET', KEYS[4], ARGV[1], 'NX', 'PX', ARGV[2]) and 'acquired' or 'taken'
        end
        return { lock, token, final, interim }
        """;

    /// <summary>Releases the lock unless it was lost.</summary>
    public const string Release = "if redis.call('GET', KEYS[4]) == ARGV[1] then return redis.call('DEL', KEYS[4]) end return 0";

    /// <summary>Begins the life of the lock anew unless it was lost.</summary>
    public const string Extend = "if redis.call('GET', KEYS[4]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[4], ARGV[2]) end return 0";

    /// <summary>
    /// Writes an entry if the token is the expected one and nothing newer is stored, and releases the lock of the writer. A not-found entry removes the
    /// final entry and leaves a new token, as a purge does: the memory of another replica must not restore it. HSET comes before any other write: a full
    /// Redis refuses a script at its first write that needs memory, but not after a delete.
    /// </summary>
    public const string Write = """
        local function release()
          if ARGV[9] ~= '' and redis.call('GET', KEYS[4]) == ARGV[9] then redis.call('DEL', KEYS[4]) end
        end
        local token = redis.call('HGET', KEYS[3], 'data') or ''
        if token ~= ARGV[1] then release() return 0 end
        local requested, latest = tonumber(ARGV[3]), tonumber(ARGV[4])
        local function newer(key, kind)
          local asked = tonumber(redis.call('HGET', key, 'asked') or '')
          if not asked or asked <= requested or asked > latest then return false end
          return kind == '' or redis.call('HGET', key, 'kind') == kind
        end
        local onlyKind = ''
        if ARGV[2] == 'final' then onlyKind = 'absent' end
        if newer(KEYS[1], '') or newer(KEYS[2], onlyKind) then release() return 2 end
        local target = KEYS[2]
        if ARGV[2] == 'final' then
          target = KEYS[1]
        elseif ARGV[2] == 'absent' and redis.call('DEL', KEYS[1]) == 1 then
          redis.call('DEL', KEYS[3])
          redis.call('HSET', KEYS[3], 'absexp', '-1', 'sldexp', '-1', 'data', ARGV[7])
          redis.call('PEXPIRE', KEYS[3], ARGV[8])
        end
        redis.call('HSET', target, 'absexp', '-1', 'sldexp', '-1', 'data', ARGV[5], 'asked', ARGV[3], 'kind', ARGV[2])
        redis.call('PEXPIRE', target, ARGV[6])
        release()
        return 1
        """;

    /// <summary>Sets a new token and removes both entries.</summary>
    public const string Purge = """
        redis.call('DEL', KEYS[3])
        redis.call('HSET', KEYS[3], 'absexp', '-1', 'sldexp', '-1', 'data', ARGV[1])
        redis.call('PEXPIRE', KEYS[3], ARGV[2])
        redis.call('DEL', KEYS[1], KEYS[2])
        return 1
        """;

    public static RedisValue[] WriteArguments(CacheEntry entry, byte[] bytes, string? token, TimeSpan lifetime, DateTimeOffset now, TimeSpan tokenLifetime, string? lockOwner) =>
    [
        token ?? string.Empty, NameOf(entry.Kind), Microseconds(entry.RequestedAt), Microseconds(CacheEntry.LatestCredible(now)), bytes,
        Milliseconds(lifetime), entry.Kind is EntryKind.NotFound ? NewToken() : string.Empty, Milliseconds(tokenLifetime), lockOwner ?? string.Empty,
    ];

    public static RedisValue[] LockArguments(string owner, TimeSpan lifetime, bool unlessFinal) => [owner, Milliseconds(lifetime), unlessFinal ? "unless_final" : string.Empty];

    public static LockState LockStateOf(RedisResult state) => (string?)state switch
    {
        "acquired" => LockState.Acquired,
        "taken" => LockState.Taken,
        _ => LockState.Final,
    };

    public static RedisValue[] ExtendArguments(string owner, TimeSpan lifetime) => [owner, Milliseconds(lifetime)];

    public static RedisValue[] PurgeArguments(TimeSpan tokenLifetime) => [NewToken(), Milliseconds(tokenLifetime)];

    private static string NewToken() => Guid.NewGuid().ToString("N");

    private static string NameOf(EntryKind kind) => kind switch
    {
        EntryKind.Interim => "interim",
        EntryKind.Final => "final",
        EntryKind.NotFound => "absent",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Microseconds since 1970: Lua's numbers are exact for them, but not for ticks.</summary>
    private static long Microseconds(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    private static long Milliseconds(TimeSpan time) => Math.Max(1, (long)time.TotalMilliseconds);
}
