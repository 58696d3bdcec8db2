using System.Collections.Concurrent;
using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>
/// The subjects whose failure the breaker has counted, each for the length of its window. Bounded: beyond that a subject is not remembered, and each of its
/// failures counts. Thread-safe.
/// </summary>
internal sealed class FailingIds(TimeSpan window, MonotonicClock clock)
{
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, TimeSpan> _until = new(StringComparer.Ordinal);

    public bool Contains(string subject) => _until.TryGetValue(subject, out var until) && clock.Now < until;

    public void Add(string subject)
    {
        if (_until.Count >= Most)
        {
            RemovePassed();
        }

        if (_until.Count < Most)
        {
            _until[subject] = clock.Now + window;
        }
    }

    public void Remove(string subject)
    {
        if (!_until.IsEmpty)
        {
            _until.TryRemove(subject, out _);
        }
    }

    public void Clear() => _until.Clear();

    private void RemovePassed()
    {
        var now = clock.Now;
        foreach (var subject in _until)
        {
            if (now >= subject.Value)
            {
                _until.TryRemove(subject);
            }
        }
    }
}
