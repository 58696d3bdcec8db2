namespace LumaGateway.Status;

/// <summary>How often something happened, in all and in each of the last seconds. Thread-safe, without locks; allocates nothing when counting.</summary>
internal sealed class LastSeconds(TimeProvider clock)
{
    public const int Length = 120;

    // Each slot: the second it is about in the upper half, the count in the lower.
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

    /// <summary>As <see cref="Read()"/>, the sum of several.</summary>
    public static int[] Read(IEnumerable<LastSeconds> several)
    {
        var counts = new int[Length];
        foreach (var one in several)
        {
            var theirs = one.Read();
            for (var i = 0; i < Length; i++)
            {
                counts[i] += theirs[i];
            }
        }

        return counts;
    }

    /// <summary>Oldest first; the second that is not over yet is left out.</summary>
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
