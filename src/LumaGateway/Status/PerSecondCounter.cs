namespace LumaGateway.Status;

/// <summary>Counts in total, and in each of the last <see cref="Length"/> seconds. Thread-safe and lock-free; <see cref="Add"/> allocates nothing.</summary>
internal sealed class PerSecondCounter(TimeProvider clock)
{
    public const int Length = 120;

    // The upper 32 bits of a slot are its second, the lower 32 bits the count.
    private readonly long[] _slots = new long[Length + 2];
    private long _total;

    public long Total => Volatile.Read(ref _total);

    public void Add(int count)
    {
        Interlocked.Add(ref _total, count);
        var second = Now;
        ref var slot = ref _slots[second % _slots.Length];
        while (true)
        {
            var before = Volatile.Read(ref slot);
            var after = before >> 32 == second ? before + count : (second << 32) | (uint)count;
            if (Interlocked.CompareExchange(ref slot, after, before) == before)
            {
                return;
            }
        }
    }

    /// <summary>The sums of several counters, as <see cref="Read()"/>.</summary>
    public static int[] Read(IEnumerable<PerSecondCounter> counters)
    {
        var sums = new int[Length];
        foreach (var counter in counters)
        {
            var added = counter.Read();
            for (var i = 0; i < Length; i++)
            {
                sums[i] += added[i];
            }
        }

        return sums;
    }

    /// <summary>The counts of the last seconds, oldest first, without the current second.</summary>
    public int[] Read()
    {
        var counts = new int[Length];
        var first = Now - Length;
        for (var i = 0; i < Length; i++)
        {
            var slot = Volatile.Read(ref _slots[(first + i) % _slots.Length]);
            counts[i] = slot >> 32 == first + i ? (int)(slot & int.MaxValue) : 0;
        }

        return counts;
    }

    private long Now => clock.GetUtcNow().ToUnixTimeSeconds() & int.MaxValue;
}
