using System.Net;

namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Each checker must find the one violation among correct inputs.</summary>
public sealed class CheckerTests
{
    private const string Cached = "done-cached0";

    private static readonly PlannedFault Throttled = new(0, FaultKind.UpstreamThrottles, TimeSpan.Zero, TimeSpan.FromSeconds(4), 0, 2);

    private readonly Findings _findings = new();

    [Fact]
    public void Correct_responses_violate_nothing()
    {
        var checker = new ResponseChecker(_findings);

        checker.Check(Response("run-3-a", "processing", at: 1));
        checker.Check(Response("run-3-a", "completed", at: 4));
        checker.Check(Response("run-3-a", "processing", at: 5) with { Replica = "1.1" }); // the copy of another replica can be up to two seconds old
        checker.Check(Response("run-3-a", "completed", at: 8) with { Replica = "1.1" });
        checker.Check(Error("upstream_failed", 502, at: 9) with { Replica = "2.2" }); // the replica has just started and Redis is down
        checker.Check(Response(Cached, "completed", at: 9) with { Status = 0, Body = "reset", HadReplicaNoFault = false });
        checker.Check(Response("unknown1", "", at: 9) with { Status = 404, Body = """{"code":"generation_not_found"}""", MediaType = "application/problem+json" });

        Assert.Empty(_findings.ViolatedInvariants);
    }

    [Fact]
    public void An_internal_error_is_found() => AssertFound(Invariant.NoInternalError, Error("internal_error", 500, at: 1));

    [Fact]
    public void An_error_that_is_not_a_problem_is_found() =>
        AssertFound(Invariant.ErrorsAreProblems, Error("", 502, at: 1) with { Body = "<html>Bad gateway</html>", MediaType = "text/html" });

    [Fact]
    public void A_problem_with_a_wrong_status_is_found() => AssertFound(Invariant.ErrorsAreProblems, Error("upstream_failed", 503, at: 1));

    [Fact]
    public void A_missing_response_is_found() => AssertFound(Invariant.EveryRequestGetsAResponse, Response("run-3-a", "", at: 1) with { Status = 0 });

    [Fact]
    public void A_response_about_another_id_is_found() => AssertFound(Invariant.ResponsesAreCorrect, Response("done-a", "completed", at: 1) with { Id = "done-b" });

    [Fact]
    public void An_impossible_state_is_found() => AssertFound(Invariant.ResponsesAreCorrect, Response("done-a", "failed", at: 1));

    [Fact]
    public void A_404_for_an_existing_generation_is_found() => AssertFound(Invariant.ResponsesAreCorrect, Error("generation_not_found", 404, at: 1));

    [Fact]
    public void An_etag_of_another_body_is_found() => AssertFound(
        Invariant.ResponsesAreCorrect, Response("run-3-a", "queued", at: 1) with { ETag = "\"1\"" }, Response("run-3-a", "processing", at: 2) with { ETag = "\"1\"" });

    [Fact]
    public void A_final_response_that_changes_is_found() => AssertFound(
        Invariant.FinalNeverChanges, Response("done-a", "completed", at: 1), Response("done-a", "completed", at: 2, prompt: "a dog") with { Replica = "1.1" });

    [Fact]
    public void A_replica_that_returns_interim_after_final_is_found() => AssertFound(
        Invariant.FinalNeverTurnsInterim, Response("run-3-a", "completed", at: 1), Response("run-3-a", "processing", at: 1.5));

    [Fact]
    public void A_replica_that_misses_a_final_state_is_found() => AssertFound(
        Invariant.FinalNeverTurnsInterim, Response("run-3-a", "completed", at: 1), Response("run-3-a", "processing", at: 9) with { Replica = "1.1" });

    [Fact]
    public void A_replica_that_loses_a_final_response_is_found() => AssertFound(
        Invariant.FinalIsNeverLost, Response("done-a", "completed", at: 1), Error("upstream_failed", 502, at: 2));

    [Fact]
    public void A_final_response_in_Redis_that_is_not_served_is_found() => AssertFound(
        Invariant.FinalIsNeverLost, Error("upstream_failed", 502, at: 1) with { Id = Cached, IsRedisStable = true });

    [Fact]
    public void More_than_one_upstream_read_a_second_without_faults_is_found()
    {
        UpstreamBounds.CheckWithoutFaults(Counts("run-3-a", 6), TimeSpan.FromSeconds(4), _findings);

        Assert.Equal([Invariant.UpstreamRequestsAreBounded], _findings.ViolatedInvariants);
    }

    [Fact]
    public void A_second_upstream_read_of_a_final_generation_without_faults_is_found()
    {
        UpstreamBounds.CheckWithoutFaults(Counts("done-a", 2), TimeSpan.FromSeconds(4), _findings);

        Assert.Equal([Invariant.UpstreamRequestsAreBounded], _findings.ViolatedInvariants);
    }

    [Fact]
    public void Unbounded_upstream_reads_during_faults_are_found()
    {
        UpstreamBounds.CheckDuringFaults(Counts("run-3-a", 400), TimeSpan.FromSeconds(40), _findings);

        Assert.Equal([Invariant.UpstreamRequestsAreBounded], _findings.ViolatedInvariants);
    }

    [Fact]
    public void Upstream_reads_during_a_RetryAfter_are_found()
    {
        UpstreamBounds.CheckRetryAfter(200, Throttled, _findings);

        Assert.Equal([Invariant.UpstreamRequestsAreBounded], _findings.ViolatedInvariants);
    }

    [Theory]
    [InlineData(true, HttpStatusCode.OK, "failed", true)]
    [InlineData(true, HttpStatusCode.NotFound, "", false)]
    [InlineData(true, HttpStatusCode.BadGateway, "", false)]
    [InlineData(false, HttpStatusCode.OK, "completed", true)]
    [InlineData(false, HttpStatusCode.OK, "failed", false)]
    public void A_response_from_before_a_removal_is_found(bool isDeletedUpstream, HttpStatusCode status, string state, bool isFound)
    {
        var removal = new Removal("purged-a", isDeletedUpstream, "0.1", IsConfirmed: true, From: 1, Until: 2);

        Assert.Equal(isFound, removal.IsStale(status, $$"""{"id":"purged-a","state":"{{state}}"}"""));
    }

    [Theory]
    [InlineData(HttpStatusCode.NoContent, "", "", true)]
    [InlineData(HttpStatusCode.NotFound, "LumaGateway; fwd=method; detail=purged", "", true)]
    [InlineData(HttpStatusCode.NotFound, "LumaGateway; fwd=method; detail=purge_pending", "", false)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "", """{"code":"cache_unavailable"}""", false)]
    [InlineData(HttpStatusCode.NotFound, "", """{"code":"not_found"}""", null)]
    [InlineData(HttpStatusCode.BadGateway, "", "", null)]
    public void A_removal_is_confirmed_only_by_a_confirming_response(HttpStatusCode status, string cacheStatus, string body, bool? isConfirmed) =>
        Assert.Equal(isConfirmed, Removal.IsConfirmedBy(status, cacheStatus, body));

    [Theory]
    [InlineData(1, nameof(Deletion.None), true)]
    [InlineData(2, nameof(Deletion.None), false)]
    [InlineData(2, nameof(Deletion.WhileRunning), true)]
    [InlineData(3, nameof(Deletion.AfterCompletion), false)]
    public void A_second_create_is_found_unless_the_record_was_deleted(int count, string deletion, bool isAllowed)
    {
        CreateBounds.CheckCount("key", count, Enum.Parse<Deletion>(deletion), mayHaveLostRecord: false, _findings);

        Assert.Equal(isAllowed ? [] : [Invariant.OneCreatePerKey], _findings.ViolatedInvariants);
    }

    [Theory]
    [InlineData("a", nameof(Deletion.None), true)]
    [InlineData("b", nameof(Deletion.None), false)]
    [InlineData("b", nameof(Deletion.WhileRunning), false)]
    [InlineData("b", nameof(Deletion.AfterCompletion), true)]
    [InlineData("b", nameof(Deletion.Unconfirmed), true)]
    public void A_repetition_with_another_generation_is_found_unless_the_outcome_was_deleted(string repeated, string deletion, bool isAllowed)
    {
        CreateBounds.CheckRepetition("key", "a", repeated, Enum.Parse<Deletion>(deletion), mayHaveLostRecord: false, _findings);

        Assert.Equal(isAllowed ? [] : [Invariant.OneCreatePerKey], _findings.ViolatedInvariants);
    }

    [Fact]
    public void A_create_response_with_the_generation_of_another_key_is_found()
    {
        CreateBounds.CheckGenerations("key", ["a"], new Dictionary<string, string> { ["a"] = "key" }, _findings);
        Assert.Empty(_findings.ViolatedInvariants);

        CreateBounds.CheckGenerations("key", ["b"], new Dictionary<string, string> { ["b"] = "another" }, _findings);
        Assert.Equal([Invariant.ResponsesAreCorrect], _findings.ViolatedInvariants);
    }

    [Fact]
    public void A_leaked_waiter_is_found()
    {
        const string Idle = """
            luma_gateway_access_active{client="a"} 0 1764000000000
            luma_gateway_waiting_waiters{kind="wait"} 0
            luma_gateway_waiting_targets 0
            luma_gateway_upstream_active 0
            luma_gateway_upstream_queued 0
            """;

        Assert.Equal("", ActiveResources.NonZeroIn(Idle));
        Assert.Equal("luma_gateway_waiting_waiters 2", ActiveResources.NonZeroIn(Idle.Replace("\"wait\"} 0", "\"wait\"} 2", StringComparison.Ordinal)));
    }

    [Fact]
    public void Secrets_are_found()
    {
        Assert.True(Secrets.AreIn($"Authorization: Bearer {Secrets.Token(3)}"));
        Assert.True(Secrets.AreIn($"X-Api-Key: {GatewayProcess.ClientKey}"));
        Assert.True(Secrets.AreIn(Secrets.SigningKey));
        Assert.False(Secrets.AreIn("Authorization: Bearer ***"));
    }

    private void AssertFound(Invariant invariant, params ObservedResponse[] responses)
    {
        var checker = new ResponseChecker(_findings);
        foreach (var response in responses)
        {
            Assert.Empty(_findings.ViolatedInvariants); // only the last response is wrong
            checker.Check(response);
        }

        Assert.Equal([invariant], _findings.ViolatedInvariants);
    }

    private static ObservedResponse Response(string id, string state, double at, string prompt = "a cat") => new(
        "0.1",
        id,
        TimeSpan.FromSeconds(at),
        TimeSpan.FromSeconds(at + 0.1),
        200,
        $$"""{"id":"{{id}}","state":"{{state}}","prompt":"{{prompt}}","video":{{(state is "completed" ? $$"""{"url":"http://upstream/{{id}}.mp4"}""" : "null")}}}""",
        "application/json",
        null);

    private static ObservedResponse Error(string code, int status, double at) =>
        Response("done-a", "", at) with { Status = status, Body = $$"""{"code":"{{code}}"}""", MediaType = "application/problem+json" };

    private static RequestCounts Counts(string id, long count) => new(count, 1, new Dictionary<string, long> { [$"GET /luma/generations/{id}"] = count }, new Dictionary<string, long>(), 0);
}
