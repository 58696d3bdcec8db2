namespace LumaGateway.Sandbox.Requests;

/// <summary>
/// Counts every request on arrival and keeps the last ones of each id. Tests use the counts to check caching. Thread-safe. Above
/// <see cref="MaxKeys"/> paths or ids, new ones share one row, so that memory stays bounded.
/// </summary>
internal sealed class RequestLog(TimeProvider clock)
{
    private const int MaxKeys = 100_000;
    private const int MaxRecordedIds = 10_000;
    private const int MaxRecordsPerId = 32;
    private const string Others = "(others)";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Queue<RecordedRequest>> _records = new(StringComparer.Ordinal);

    private long _total;
    private long _createsRefused;
    private int _concurrent;
    private int _concurrentMax;
    private DateTimeOffset? _firstAt;
    private DateTimeOffset? _lastAt;

    public void RecordArrival(HttpRequest request, string? id)
    {
        var record = new RecordedRequest(
            clock.GetUtcNow(),
            request.Method,
            request.Path.ToString(),
            request.QueryString.ToString(),
            request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase));

        lock (_lock)
        {
            _total++;
            _concurrentMax = Math.Max(_concurrentMax, ++_concurrent);
            _firstAt ??= record.At;
            _lastAt = record.At;
            Count(_byPath, $"{record.Method} {record.Path}");
            if (id is not null)
            {
                Count(_byId, id);
                AddRecord(id, record);
            }
        }
    }

    public void RecordEnd()
    {
        lock (_lock)
        {
            _concurrent--;
        }
    }

    /// <summary>A create was refused because of a limit.</summary>
    public void RecordRefusedCreate() => Interlocked.Increment(ref _createsRefused);

    public RequestCounts Counts()
    {
        lock (_lock)
        {
            return new(_total, _concurrentMax, _byPath.ToDictionary(), _byId.ToDictionary(), _firstAt, _lastAt, Interlocked.Read(ref _createsRefused));
        }
    }

    /// <summary>The last requests for the id, oldest first.</summary>
    public IReadOnlyList<RecordedRequest> Of(string id)
    {
        lock (_lock)
        {
            return _records.TryGetValue(id, out var records) ? [.. records] : [];
        }
    }

    /// <summary>Resets the counts. Requests in progress still count towards the concurrency.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _byPath.Clear();
            _byId.Clear();
            _records.Clear();
            (_total, _concurrentMax, _firstAt, _lastAt) = (0, _concurrent, null, null);
            Interlocked.Exchange(ref _createsRefused, 0);
        }
    }

    private static void Count(Dictionary<string, long> counts, string key)
    {
        var row = counts.Count < MaxKeys || counts.ContainsKey(key) ? key : Others;
        counts[row] = counts.GetValueOrDefault(row) + 1;
    }

    private void AddRecord(string id, RecordedRequest record)
    {
        if (!_records.TryGetValue(id, out var records))
        {
            if (_records.Count >= MaxRecordedIds)
            {
                return;
            }

            _records[id] = records = new();
        }

        records.Enqueue(record);
        if (records.Count > MaxRecordsPerId)
        {
            records.Dequeue();
        }
    }
}
