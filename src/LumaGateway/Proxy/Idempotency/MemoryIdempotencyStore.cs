namespace LumaGateway.Proxy.Idempotency;

/// <summary>
/// Records of this process alone. Bounded by bytes, and unlike a cache it forgets nothing before its time: when it is full it takes no more. One owner
/// may fill <see cref="OwnerShare"/> of it, so that none is refused because of another alone.
/// </summary>
internal sealed class MemoryIdempotencyStore(TimeProvider clock) : IIdempotencyStore
{
    /// <summary>What a record costs besides its key and itself: its entries in two collections and the array's header.</summary>
    private const int Overhead = 300;

    private const long MiB = 1024 * 1024;
    private const long MaxBytes = 64 * MiB;
    private const long OwnerShare = MaxBytes / 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Kept> _records = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _bytesOf = new(StringComparer.Ordinal);
    private readonly SortedSet<(DateTimeOffset Until, string Key)> _ends = new(Comparer<(DateTimeOffset Until, string Key)>.Create(
        static (a, b) => a.Until != b.Until ? a.Until.CompareTo(b.Until) : string.CompareOrdinal(a.Key, b.Key)));
    private long _bytes;

    public Task<byte[]?> TryAddAsync(string owner, string key, byte[] record, TimeSpan life)
    {
        lock (_gate)
        {
            RemovePassed();
            if (_records.TryGetValue(key, out var first))
            {
                return Task.FromResult<byte[]?>(first.Record);
            }

            var size = SizeOf(key, record);
            if (FullFor(owner, size) is { } full)
            {
                return Task.FromException<byte[]?>(new RecordStoreFullException(full));
            }

            Put(owner, key, record, life);
            return Task.FromResult<byte[]?>(null);
        }
    }

    public Task<bool> ReplaceAsync(string key, byte[] known, byte[] record, TimeSpan life)
    {
        lock (_gate)
        {
            if (Find(key, known) is not { } kept)
            {
                return Task.FromResult(false);
            }

            Remove(key, kept);
            Put(kept.Owner, key, record, life); // whatever its size: how a create ended must not be lost
            return Task.FromResult(true);
        }
    }

    public Task RemoveAsync(string key, byte[] known)
    {
        lock (_gate)
        {
            if (Find(key, known) is { } kept)
            {
                Remove(key, kept);
            }

            return Task.CompletedTask;
        }
    }

    private static int SizeOf(string key, byte[] record) => Overhead + (2 * key.Length) + record.Length;

    /// <summary>Which limit a record of this size would exceed; null where it fits.</summary>
    private string? FullFor(string owner, int size) =>
        _bytesOf.GetValueOrDefault(owner) + size > OwnerShare ? $"This client's share of the memory for idempotency records ({OwnerShare / MiB} MiB) is full"
        : _bytes + size > MaxBytes ? $"The memory for idempotency records ({MaxBytes / MiB} MiB) is full"
        : null;

    private Kept? Find(string key, byte[] known) => _records.TryGetValue(key, out var kept) && kept.Record.AsSpan().SequenceEqual(known) ? kept : null;

    private void Put(string owner, string key, byte[] record, TimeSpan life)
    {
        var until = clock.GetUtcNow() + life;
        _records[key] = new Kept(owner, record, until);
        _ends.Add((until, key));
        Count(owner, SizeOf(key, record));
    }

    private void Remove(string key, Kept kept)
    {
        _records.Remove(key);
        _ends.Remove((kept.Until, key));
        Count(kept.Owner, -SizeOf(key, kept.Record));
    }

    private void Count(string owner, int bytes)
    {
        _bytes += bytes;
        var left = _bytesOf.GetValueOrDefault(owner) + bytes;
        if (left > 0)
        {
            _bytesOf[owner] = left;
        }
        else
        {
            _bytesOf.Remove(owner);
        }
    }

    private void RemovePassed()
    {
        var now = clock.GetUtcNow();
        while (_ends.Count > 0 && _ends.Min is var (until, key) && until <= now)
        {
            Remove(key, _records[key]);
        }
    }

    private readonly record struct Kept(string Owner, byte[] Record, DateTimeOffset Until);
}
