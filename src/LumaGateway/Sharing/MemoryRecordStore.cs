namespace LumaGateway.Sharing;

/// <summary>
/// Records of this process alone. Bounded by bytes, and unlike a cache it forgets nothing before its time: when it is full it takes no more.
/// </summary>
internal sealed class MemoryRecordStore(TimeProvider clock) : IRecordStore
{
    private const int Overhead = 200;
    private const long MaxBytes = 64 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Kept> _records = new(StringComparer.Ordinal);
    private readonly PriorityQueue<(string Key, DateTimeOffset Until), DateTimeOffset> _ends = new();
    private long _bytes;

    public Task<byte[]?> TryAddAsync(string key, byte[] record, TimeSpan life)
    {
        lock (_gate)
        {
            Sweep();
            if (_records.TryGetValue(key, out var first))
            {
                return Task.FromResult<byte[]?>(first.Record);
            }

            if (_bytes + SizeOf(key, record) > MaxBytes)
            {
                return Task.FromException<byte[]?>(new RecordStoreAwayException("The records in memory have reached their limit."));
            }

            Put(key, record, life);
            return Task.FromResult<byte[]?>(null);
        }
    }

    public Task<bool> ReplaceAsync(string key, byte[] known, byte[] record, TimeSpan life)
    {
        lock (_gate)
        {
            var held = Holds(key, known);
            if (held)
            {
                Drop(key);
                Put(key, record, life);
            }

            return Task.FromResult(held);
        }
    }

    public Task RemoveAsync(string key, byte[] known)
    {
        lock (_gate)
        {
            if (Holds(key, known))
            {
                Drop(key);
            }

            return Task.CompletedTask;
        }
    }

    private static int SizeOf(string key, byte[] record) => Overhead + (2 * key.Length) + record.Length;

    private bool Holds(string key, byte[] known) => _records.TryGetValue(key, out var kept) && kept.Record.AsSpan().SequenceEqual(known);

    private void Put(string key, byte[] record, TimeSpan life)
    {
        var until = clock.GetUtcNow() + life;
        _records[key] = new Kept(record, until);
        _ends.Enqueue((key, until), until);
        _bytes += SizeOf(key, record);
    }

    private void Drop(string key)
    {
        if (_records.Remove(key, out var kept))
        {
            _bytes -= SizeOf(key, kept.Record);
        }
    }

    private void Sweep()
    {
        var now = clock.GetUtcNow();
        while (_ends.TryPeek(out var end, out var until) && until <= now)
        {
            _ends.Dequeue();
            if (_records.TryGetValue(end.Key, out var kept) && kept.Until <= now)
            {
                Drop(end.Key);
            }
        }
    }

    private readonly record struct Kept(byte[] Record, DateTimeOffset Until);
}
