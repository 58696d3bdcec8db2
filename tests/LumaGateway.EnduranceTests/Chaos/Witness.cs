using System.Collections.Concurrent;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Holds every answer that a caller got against the truth and against what callers were told before. Thread-safe.</summary>
internal sealed class Witness(Findings findings)
{
    /// <summary>An unfinished answer may live for two seconds on another replica (<c>Freshness:UnfinishedMax</c>); the rest is for the way.</summary>
    private static readonly TimeSpan UnfinishedMayLive = TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// Who waits or follows is told first what the watch knows, one and a half <c>Waiting:PollEvery</c> old at most, and replicas tell each other
    /// what they know every two seconds at least.
    /// </summary>
    private static readonly TimeSpan NewsMayLive = TimeSpan.FromSeconds(5.5);

    private static readonly Dictionary<string, int> Codes = ProblemKinds.All.ToDictionary(kind => kind.Code, kind => kind.Status);

    /// <summary>When a generation was first seen finished, and its body.</summary>
    private readonly ConcurrentDictionary<string, (TimeSpan At, string Body)> _finished = new();

    /// <summary>When a replica was first seen to know a finished generation.</summary>
    private readonly ConcurrentDictionary<(string Replica, string Id), Seen> _known = new();

    private readonly ConcurrentDictionary<string, string> _bodies = new();

    /// <summary>Which generations were seen finished.</summary>
    public IReadOnlyCollection<string> Finished => [.. _finished.Keys];

    public void Saw(Seen seen)
    {
        var wasKnown = _known.TryGetValue((seen.Replica, seen.Id), out var told) && told.Ended <= seen.Begun;
        findings.Check(Invariant.EverybodyIsAnswered, seen.Status is not 0 || !seen.IsReplicaUndisturbed, () => $"No answer: {seen}");
        findings.Check(Invariant.NoInternalError, seen.Status is not 500, () => $"{seen}");
        if (seen.Status is 0)
        {
            return;
        }

        findings.Check(Invariant.FinishedIsNeverLost, seen.Status is 200 || !wasKnown, () => $"The replica told it: {seen}\n  before: {told}");
        findings.Check(
            Invariant.FinishedIsNeverLost, seen.Status is 200 || !(seen.IsRedisAtPeace && Ids.IsTreasure(seen.Id)), () => $"Redis had it: {seen}");
        if (seen.Status is 200)
        {
            SawAnswer(seen, wasKnown);
        }
        else
        {
            SawRefusal(seen);
        }
    }

    private void SawAnswer(Seen seen, bool wasKnown)
    {
        if (StateOf(seen) is not { } state)
        {
            findings.Check(Invariant.AnswersAreTrue, false, () => $"Not about the id asked for, or not of the contract's shape: {seen}");
            return;
        }

        findings.Check(Invariant.AnswersAreTrue, Ids.Exists(seen.Id) && Ids.MayBe(seen.Id, state), () => $"It cannot be {state}: {seen}");
        if (seen.ETag is { } etag)
        {
            findings.Check(Invariant.AnswersAreTrue, _bodies.GetOrAdd(etag, seen.Body) == seen.Body, () => $"The ETag was another body's: {seen}");
        }

        if (state is "completed" or "failed")
        {
            _known.TryAdd((seen.Replica, seen.Id), seen);
            var (_, body) = _finished.GetOrAdd(seen.Id, (seen.Ended, seen.Body));
            findings.Check(Invariant.FinishedNeverChanges, body == seen.Body, () => $"It was {body}: {seen}");
        }
        else
        {
            findings.Check(Invariant.FinishedNeverTurnsUnfinished, !wasKnown, () => $"This replica has told that it is finished: {seen}");
            var isLate = _finished.TryGetValue(seen.Id, out var first) && seen.Begun > first.At + (seen.Route is "wait" or "stream" ? NewsMayLive : UnfinishedMayLive);
            findings.Check(Invariant.FinishedNeverTurnsUnfinished, !isLate, () => $"Finished since {first.At.TotalSeconds:0.00} s: {seen}");
        }
    }

    private void SawRefusal(Seen seen)
    {
        findings.Check(Invariant.AnswersAreTrue, seen.Status is not 404 || !Ids.Exists(seen.Id), () => $"The upstream has it: {seen}");
        findings.Check(Invariant.RefusalsAreProblems, IsProblem(seen), () => $"{seen}");
    }

    private static bool IsProblem(Seen seen)
    {
        try
        {
            using var problem = JsonDocument.Parse(seen.Body);
            return seen.MediaType is "application/problem+json"
                && Codes.TryGetValue(problem.RootElement.GetProperty("code").GetString()!, out var status) && status == seen.Status;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Null where the body is not a generation of the id asked for.</summary>
    private static string? StateOf(Seen seen)
    {
        try
        {
            using var document = JsonDocument.Parse(seen.Body);
            var generation = document.RootElement;
            var state = generation.GetProperty("state").GetString();
            var links = generation.GetProperty("video") is { ValueKind: JsonValueKind.Object } video ? video.GetProperty("url").GetString() : null;
            var isWhole = state is not "completed" || links?.Contains(seen.Id, StringComparison.Ordinal) is true;
            return generation.GetProperty("id").GetString() == seen.Id && isWhole ? state : null;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
