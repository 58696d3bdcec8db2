using System.Collections.Concurrent;

namespace LumaGateway.Redis;

/// <summary>
/// Repeats writes that Redis did not confirm, in the background, every second until Redis confirms them. At most <see cref="MaxCount"/> writes are repeated. Ends within a
/// second after it is disposed. Thread-safe.
/// </summary>
/// <typeparam name="T">Identifies a write. Equal ones are repeated as one.</typeparam>
/// <param name="clock">The clock of the repetitions.</param>
/// <param name="onFirst">Called when a write is added while none is repeated.</param>
/// <param name="onLast">Called when the last write is confirmed.</param>
internal sealed class UnconfirmedWrites<T>(TimeProvider clock, Action onFirst, Action onLast) : IDisposable
    where T : notnull
{
    public const int MaxCount = 10_000;

    private static readonly TimeSpan RepeatInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<T, Func<T, Task<bool>>> _writes = new();
    private int _count;
    private volatile bool _isDisposed;

    /// <summary>Raised when a repeated write is confirmed.</summary>
    public event Action<T>? Confirmed;

    public bool Contains(T write) => Volatile.Read(ref _count) > 0 && _writes.ContainsKey(write);

    /// <summary>Repeats a write. Does nothing if it is repeated already, or <see cref="MaxCount"/> writes are.</summary>
    /// <param name="write">Identifies the write.</param>
    /// <param name="repeatAsync">Writes again, and returns whether Redis confirmed. Must not throw.</param>
    public void Add(T write, Func<T, Task<bool>> repeatAsync)
    {
        if (_writes.Count >= MaxCount || !_writes.TryAdd(write, repeatAsync))
        {
            return;
        }

        if (Interlocked.Increment(ref _count) == 1)
        {
            onFirst();
            _ = RepeatAsync();
        }
    }

    public void Dispose() => _isDisposed = true;

    /// <summary>Ends when no write is left.</summary>
    private async Task RepeatAsync()
    {
        while (true)
        {
            await Task.Delay(RepeatInterval, clock);
            foreach (var (write, repeatAsync) in _writes)
            {
                if (_isDisposed)
                {
                    return;
                }

                if (!await repeatAsync(write) || !_writes.TryRemove(write, out _))
                {
                    break; // Redis is still unavailable
                }

                Confirmed?.Invoke(write);
                if (Interlocked.Decrement(ref _count) == 0)
                {
                    onLast();
                    return; // the next unconfirmed write starts the loop again
                }
            }
        }
    }
}
