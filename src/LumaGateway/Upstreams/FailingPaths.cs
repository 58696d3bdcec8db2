using System.Collections.Concurrent;
using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>
/// The paths whose failure the circuit breaker has counted within its window. Stores at most 10,000 paths: every failure of a further path is counted.
/// Thread-safe.
/// </summary>
internal sealed class FailingPaths(TimeSpan window, MonotonicClock clock)
{
    private const int MaxPaths = 10_000;

    private readonly ConcurrentDictionary<string, TimeSpan> _until = new(StringComparer.Ordinal);

    public bool Contains(string path) => _until.TryGetValue(path, out var until) && clock.Now < until;

    public void Add(string path)
    {
        if (_until.Count >= MaxPaths)
        {
            RemoveExpired();
        }

        if (_until.Count < MaxPaths)
        {
            _until[path] = clock.Now + window;
        }
    }

    public void Remove(string path)
    {
        if (!_until.IsEmpty)
        {
            _until.TryRemove(path, out _);
        }
    }

    public void Clear() => _until.Clear();

    private void RemoveExpired()
    {
        var now = clock.Now;
        foreach (var entry in _until)
        {
            if (now >= entry.Value)
            {
                _until.TryRemove(entry);
            }
        }
    }
}
