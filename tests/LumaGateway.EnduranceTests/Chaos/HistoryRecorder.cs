using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Records every call of a run, for the checkers that also judge the simulation. Thread-safe.</summary>
internal sealed class HistoryRecorder
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() }, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly ConcurrentQueue<HistoryCall> _calls = new();

    /// <summary>Records a read. A caller without a complete response has learned nothing.</summary>
    public void AddRead(ObservedResponse response)
    {
        if (response.Status is 0)
        {
            return;
        }

        var (state, version) = StateOf(response);
        _calls.Enqueue(Call(response.Replica, response.Id, HistoryOperation.Read, response.Started, response.Ended) with
        {
            State = state,
            Version = version,
            ProvenVersion = state is HistoryState.Interim ? null : version,
        });
    }

    /// <summary>Records a delete, or a purge of a generation that has failed since.</summary>
    /// <param name="id">The generation.</param>
    /// <param name="isDelete">Whether the upstream has deleted it.</param>
    /// <param name="replica">The process that was called.</param>
    /// <param name="started">The time of the request.</param>
    /// <param name="ended">The time of the response; null without a response.</param>
    /// <param name="isConfirmed">Whether Redis has confirmed it.</param>
    public void AddRemoval(string id, bool isDelete, string replica, TimeSpan started, TimeSpan? ended, bool isConfirmed) =>
        _calls.Enqueue(Call(replica, id, isDelete ? HistoryOperation.Delete : HistoryOperation.Purge, started, ended) with
        {
            IsConfirmed = isConfirmed,
            ProvenVersion = isDelete ? Versions.NotFound : Versions.Failed,
        });

    /// <summary>Records the generation that a create returned.</summary>
    public void AddCreate(string key, string id, TimeSpan ended) => _calls.Enqueue(Call("", key, HistoryOperation.Create, ended, ended) with { CreatedId = id });

    /// <summary>Judges the history. A key is left out if a fault may have undone one of its purges, deletes or creates.</summary>
    /// <param name="findings">Receives the violations.</param>
    /// <param name="isReliable">Whether no fault may have undone this purge, delete or create.</param>
    public void Check(Findings findings, Func<HistoryCall, bool> isReliable)
    {
        var all = _calls.ToArray();
        var unreliable = all.Where(call => call.Operation is not HistoryOperation.Read && !isReliable(call)).Select(call => call.Key).ToHashSet();
        HistoryCall[] history = [.. all.Where(call => !unreliable.Contains(call.Key))];
        Checked = history.Length;
        Report([.. HistoryChecker.FinalStays(history), .. HistoryChecker.NothingGoesBack(history, null), .. HistoryChecker.CreatesAreUnique(history)]);

        void Report(List<string> violations)
        {
            findings.Check(Invariant.HistoryIsConsistent, violations.Count == 0, () => $"{violations.Count} violations, the first ones: {string.Join('\n', violations.Take(5))}");
        }
    }

    /// <summary>The number of calls that were judged.</summary>
    public int Checked { get; private set; }

    /// <summary>Writes one JSON object for each call, in the order of the ends.</summary>
    public Task WriteAsync(string path) => File.WriteAllLinesAsync(path, _calls.OrderBy(call => call.EndAt).Select(call => JsonSerializer.Serialize(call, Json)));

    /// <summary>The version of a state. A generation of a run gets only higher ones: it is processing, completed, then perhaps failed or deleted.</summary>
    private static (HistoryState? State, long? Version) StateOf(ObservedResponse response)
    {
        if (response.Status is not 200)
        {
            return response.Status is 404 ? (HistoryState.NotFound, Versions.NotFound) : (null, null);
        }

        try
        {
            using var body = JsonDocument.Parse(response.Body);
            return body.RootElement.GetProperty("state").GetString() switch
            {
                "completed" => (HistoryState.Final, Versions.Completed),
                "failed" => (HistoryState.Final, Versions.Failed),
                _ => (HistoryState.Interim, Versions.Interim),
            };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return (null, null); // ResponseChecker reports it
        }
    }

    private static HistoryCall Call(string replica, string key, HistoryOperation operation, TimeSpan started, TimeSpan? ended) =>
        new(replica, key, operation, started.Ticks, ended?.Ticks) { BeginAt = started, EndAt = ended ?? TimeSpan.MaxValue };

    private static class Versions
    {
        public const long Interim = 1;
        public const long Completed = 2;
        public const long Failed = 3;
        public const long NotFound = 4;
    }
}
