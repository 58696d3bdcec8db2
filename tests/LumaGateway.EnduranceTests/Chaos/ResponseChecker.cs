using System.Collections.Concurrent;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Checks each response against the valid states and against earlier responses. Thread-safe.</summary>
internal sealed class ResponseChecker(Findings findings)
{
    /// <summary>Another replica may serve an interim response for two seconds (<c>Freshness:InterimMax</c>). The rest allows for the network.</summary>
    private static readonly TimeSpan InterimLifetime = TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// A long poll and an event stream start with the snapshot of the poller, which is at most 1.5 × <c>Waiting:PollEvery</c> old. Replicas exchange
    /// snapshots at least every two seconds.
    /// </summary>
    private static readonly TimeSpan SnapshotLifetime = TimeSpan.FromSeconds(5.5);

    private static readonly Dictionary<string, int> Codes = ProblemKinds.All.ToDictionary(kind => kind.Code, kind => kind.Status);

    /// <summary>The time and body of the first final response of each generation.</summary>
    private readonly ConcurrentDictionary<string, (TimeSpan At, string Body)> _final = new();

    /// <summary>The first final response of each generation from each replica.</summary>
    private readonly ConcurrentDictionary<(string Replica, string Id), ObservedResponse> _known = new();

    private readonly ConcurrentDictionary<string, string> _bodies = new();

    /// <summary>The ids with a final response.</summary>
    public IReadOnlyCollection<string> FinalIds => [.. _final.Keys];

    /// <summary>All checked responses, and the other calls of the run.</summary>
    public HistoryRecorder History { get; } = new();

    public void Check(ObservedResponse response)
    {
        History.AddRead(response);
        var wasKnown = _known.TryGetValue((response.Replica, response.Id), out var known) && known.Ended <= response.Started;
        findings.Check(Invariant.EveryRequestGetsAResponse, response.Status is not 0 || !response.HadReplicaNoFault, () => $"No response: {response}");
        findings.Check(Invariant.NoInternalError, response.Status is not 500, () => $"{response}");
        if (response.Status is 0)
        {
            return;
        }

        findings.Check(Invariant.FinalIsNeverLost, response.Status is 200 || !wasKnown, () => $"The replica returned a final response before: {response}\n  before: {known}");
        findings.Check(
            Invariant.FinalIsNeverLost, response.Status is 200 || !(response.IsRedisStable && Ids.IsCached(response.Id)), () => $"Redis has a final response: {response}");
        if (response.Status is 200)
        {
            CheckGeneration(response, wasKnown);
        }
        else
        {
            CheckError(response);
        }
    }

    private void CheckGeneration(ObservedResponse response, bool wasKnown)
    {
        if (StateOf(response) is not { } state)
        {
            findings.Check(Invariant.ResponsesAreCorrect, false, () => $"Not the requested id, or not the shape of the contract: {response}");
            return;
        }

        findings.Check(Invariant.ResponsesAreCorrect, Ids.Exists(response.Id) && Ids.CanBe(response.Id, state), () => $"The state cannot be {state}: {response}");
        if (response.ETag is { } etag)
        {
            findings.Check(Invariant.ResponsesAreCorrect, _bodies.GetOrAdd(etag, response.Body) == response.Body, () => $"The ETag belongs to another body: {response}");
        }

        if (state is "completed" or "failed")
        {
            _known.TryAdd((response.Replica, response.Id), response);
            var (_, body) = _final.GetOrAdd(response.Id, (response.Ended, response.Body));
            findings.Check(Invariant.FinalNeverChanges, body == response.Body, () => $"The body was {body}: {response}");
        }
        else
        {
            findings.Check(Invariant.FinalNeverTurnsInterim, !wasKnown, () => $"This replica returned a final state before: {response}");
            var isLate = _final.TryGetValue(response.Id, out var first) && response.Started > first.At + (response.Route is "wait" or "stream" ? SnapshotLifetime : InterimLifetime);
            findings.Check(Invariant.FinalNeverTurnsInterim, !isLate, () => $"Final since {first.At.TotalSeconds:0.00} s: {response}");
        }
    }

    private void CheckError(ObservedResponse response)
    {
        findings.Check(Invariant.ResponsesAreCorrect, response.Status is not 404 || !Ids.Exists(response.Id), () => $"The upstream has the id: {response}");
        findings.Check(Invariant.ErrorsAreProblems, IsProblem(response), () => $"{response}");
    }

    private static bool IsProblem(ObservedResponse response)
    {
        try
        {
            using var problem = JsonDocument.Parse(response.Body);
            return response.MediaType is "application/problem+json"
                && Codes.TryGetValue(problem.RootElement.GetProperty("code").GetString()!, out var status) && status == response.Status;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Returns null if the body is not a generation with the requested id.</summary>
    private static string? StateOf(ObservedResponse response)
    {
        try
        {
            using var document = JsonDocument.Parse(response.Body);
            var generation = document.RootElement;
            var state = generation.GetProperty("state").GetString();
            var links = generation.GetProperty("video") is { ValueKind: JsonValueKind.Object } video ? video.GetProperty("url").GetString() : null;
            var isComplete = state is not "completed" || links?.Contains(response.Id, StringComparison.Ordinal) is true;
            return generation.GetProperty("id").GetString() == response.Id && isComplete ? state : null;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
