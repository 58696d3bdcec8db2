using LumaGateway.Jobs;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Keeps idempotency records in this process, up to a limit in bytes. Unlike a cache it never evicts: a full store rejects new records. One client may use
/// <see cref="ClientShare"/>, so that it cannot fill the store alone.
/// </summary>
internal sealed class MemoryIdempotencyStore(IJobLedger jobs, TimeProvider clock) : IIdempotencyStore
{
    /// <summary>The bytes that a record takes in addition to key and value: entries in two collections and the array's header.</summary>
    private const int Overhead = 300;

    private const long MiB = 1024 * 1024;
    private const long MaxBytes = 64 * MiB;
    private const long ClientShare = MaxBytes / 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, StoredRecord> _records = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _bytesByClient = new(StringComparer.Ordinal);
    private readonly SortedSet<(DateTimeOffset ExpiresAt, string Key)> _expirations = new(Comparer<(DateTimeOffset ExpiresAt, string Key)>.Create(
        static (a, b) => a.ExpiresAt != b.ExpiresAt ? a.ExpiresAt.CompareTo(b.ExpiresAt) : string.CompareOrdinal(a.Key, b.Key)));
    private long _bytes;

    public async Task<byte[]?> TryAddAsync(string client, string key, byte[] record, TimeSpan lifetime, JobChange? change = null)
    {
        var existing = TryAdd(client, key, record, lifetime);
        if (existing is null)
        {
            await ApplyAsync(change);
        }

        return existing;
    }

    public Task<byte[]?> FindAsync(string key)
    {
        lock (_gate)
        {
            RemoveExpired();
            return Task.FromResult(_records.TryGetValue(key, out var stored) ? stored.Record : null);
        }
    }

    public async Task<bool> ReplaceAsync(string key, byte[] expected, byte[] record, TimeSpan lifetime, JobChange? change = null)
    {
        await ApplyAsync(change);
        return Replace(key, expected, record, lifetime);
    }

    public Task RemoveAsync(string key, byte[] expected, JobChange? change = null)
    {
        lock (_gate)
        {
            if (Find(key, expected) is { } stored)
            {
                Remove(key, stored);
            }
        }

        return ApplyAsync(change);
    }

    private Task ApplyAsync(JobChange? change) => change is null ? Task.CompletedTask : jobs.ApplyAsync(change);

    private byte[]? TryAdd(string client, string key, byte[] record, TimeSpan lifetime)
    {
        lock (_gate)
        {
            RemoveExpired();
            if (_records.TryGetValue(key, out var existing))
            {
                return existing.Record;
            }

            var size = SizeOf(key, record);
            if (FindReachedLimit(client, size) is { } limit)
            {
                throw new IdempotencyStoreFullException(limit);
            }

            Put(client, key, record, lifetime);
            return null;
        }
    }

    private bool Replace(string key, byte[] expected, byte[] record, TimeSpan lifetime)
    {
        lock (_gate)
        {
            if (Find(key, expected) is not { } stored)
            {
                return false;
            }

            Remove(key, stored);
            Put(stored.Client, key, record, lifetime); // not limited: the outcome of a create must not be lost
            return true;
        }
    }

    private static int SizeOf(string key, byte[] record) => Overhead + (2 * key.Length) + record.Length;

    /// <summary>Describes the limit that a record of this size would exceed; null if the record fits.</summary>
    private string? FindReachedLimit(string client, int size) =>
        _bytesByClient.GetValueOrDefault(client) + size > ClientShare ? $"This client's share of the memory for idempotency records ({ClientShare / MiB} MiB) is full"
        : _bytes + size > MaxBytes ? $"The memory for idempotency records ({MaxBytes / MiB} MiB) is full"
        : null;

    private StoredRecord? Find(string key, byte[] expected) => _records.TryGetValue(key, out var stored) && stored.Record.AsSpan().SequenceEqual(expected) ? stored : null;

    private void Put(string client, string key, byte[] record, TimeSpan lifetime)
    {
        var expiresAt = clock.GetUtcNow() + lifetime;
        _records[key] = new StoredRecord(client, record, expiresAt);
        _expirations.Add((expiresAt, key));
        AddBytes(client, SizeOf(key, record));
    }

    private void Remove(string key, StoredRecord stored)
    {
        _records.Remove(key);
        _expirations.Remove((stored.ExpiresAt, key));
        AddBytes(stored.Client, -SizeOf(key, stored.Record));
    }

    private void AddBytes(string client, int bytes)
    {
        _bytes += bytes;
        var total = _bytesByClient.GetValueOrDefault(client) + bytes;
        if (total > 0)
        {
            _bytesByClient[client] = total;
        }
        else
        {
            _bytesByClient.Remove(client);
        }
    }

    private void RemoveExpired()
    {
        var now = clock.GetUtcNow();
        while (_expirations.Count > 0 && _expirations.Min is var (expiresAt, key) && expiresAt <= now)
        {
            Remove(key, _records[key]);
        }
    }

    private readonly record struct StoredRecord(string Client, byte[] Record, DateTimeOffset ExpiresAt);
}
