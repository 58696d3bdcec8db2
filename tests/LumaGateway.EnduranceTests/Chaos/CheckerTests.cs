
namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>A checker that cannot fail checks nothing: each is told one lie among truths, and must find it.</summary>
public sealed class CheckerTests
{
    private const string Treasure = "done-treasure0";

    private static readonly PlannedFault Throttled = new(0, FaultKind.UpstreamThrottles, TimeSpan.Zero, TimeSpan.FromSeconds(4), 0, 2);

    private readonly Findings _findings = new();

    [Fact]
    public void Truths_break_nothing()
    {
        var witness = new Witness(_findings);

        witness.Saw(Answer("run-3-a", "processing", at: 1));
        witness.Saw(Answer("run-3-a", "completed", at: 4));
        witness.Saw(Answer("run-3-a", "processing", at: 5) with { Replica = "1.1" }); // another replica's copy may live for two seconds
        witness.Saw(Answer("run-3-a", "completed", at: 8) with { Replica = "1.1" });
        witness.Saw(Refusal("upstream_failed", 502, at: 9) with { Replica = "2.2" }); // it has just been started and Redis is away
        witness.Saw(Answer(Treasure, "completed", at: 9) with { Status = 0, Body = "reset", IsReplicaUndisturbed = false });
        witness.Saw(Answer("nobody1", "", at: 9) with { Status = 404, Body = """{"code":"generation_not_found"}""", MediaType = "application/problem+json" });

        Assert.Empty(_findings.Broken);
    }

    [Fact]
    public void An_internal_error_is_found() => Finds(Invariant.NoInternalError, Refusal("internal_error", 500, at: 1));

    [Fact]
    public void A_refusal_that_is_no_problem_is_found() =>
        Finds(Invariant.RefusalsAreProblems, Refusal("", 502, at: 1) with { Body = "<html>Bad gateway</html>", MediaType = "text/html" });

    [Fact]
    public void A_refusal_with_the_status_of_another_is_found() => Finds(Invariant.RefusalsAreProblems, Refusal("upstream_failed", 503, at: 1));

    [Fact]
    public void Silence_is_found() => Finds(Invariant.EverybodyIsAnswered, Answer("run-3-a", "", at: 1) with { Status = 0 });

    [Fact]
    public void An_answer_about_another_id_is_found() => Finds(Invariant.AnswersAreTrue, Answer("done-a", "completed", at: 1) with { Id = "done-b" });

    [Fact]
    public void A_state_that_cannot_be_is_found() => Finds(Invariant.AnswersAreTrue, Answer("done-a", "failed", at: 1));

    [Fact]
    public void A_404_for_what_exists_is_found() => Finds(Invariant.AnswersAreTrue, Refusal("generation_not_found", 404, at: 1));

    [Fact]
    public void An_etag_of_another_body_is_found() => Finds(
        Invariant.AnswersAreTrue, Answer("run-3-a", "queued", at: 1) with { ETag = "\"1\"" }, Answer("run-3-a", "processing", at: 2) with { ETag = "\"1\"" });

    [Fact]
    public void A_finished_answer_that_changes_is_found() => Finds(
        Invariant.FinishedNeverChanges, Answer("done-a", "completed", at: 1), Answer("done-a", "completed", at: 2, prompt: "a dog") with { Replica = "1.1" });

    [Fact]
    public void A_replica_that_takes_an_end_back_is_found() => Finds(
        Invariant.FinishedNeverTurnsUnfinished, Answer("run-3-a", "completed", at: 1), Answer("run-3-a", "processing", at: 1.5));

    [Fact]
    public void A_replica_that_does_not_hear_of_an_end_is_found() => Finds(
        Invariant.FinishedNeverTurnsUnfinished, Answer("run-3-a", "completed", at: 1), Answer("run-3-a", "processing", at: 9) with { Replica = "1.1" });

    [Fact]
    public void A_replica_that_loses_an_answer_is_found() => Finds(
        Invariant.FinishedIsNeverLost, Answer("done-a", "completed", at: 1), Refusal("upstream_failed", 502, at: 2));

    [Fact]
    public void An_answer_that_Redis_has_and_is_not_given_is_found() => Finds(
        Invariant.FinishedIsNeverLost, Refusal("upstream_failed", 502, at: 1) with { Id = Treasure, IsRedisAtPeace = true });

    [Fact]
    public void An_upstream_asked_in_peace_more_often_than_once_a_second_is_found()
    {
        UpstreamBounds.CheckPeace(Counts("run-3-a", 6), TimeSpan.FromSeconds(4), _findings);

        Assert.Equal([Invariant.UpstreamIsSpared], _findings.Broken);
    }

    [Fact]
    public void A_finished_generation_asked_about_twice_in_peace_is_found()
    {
        UpstreamBounds.CheckPeace(Counts("done-a", 2), TimeSpan.FromSeconds(4), _findings);

        Assert.Equal([Invariant.UpstreamIsSpared], _findings.Broken);
    }

    [Fact]
    public void An_upstream_asked_in_trouble_without_end_is_found()
    {
        UpstreamBounds.CheckTrouble(Counts("run-3-a", 400), TimeSpan.FromSeconds(40), _findings);

        Assert.Equal([Invariant.UpstreamIsSpared], _findings.Broken);
    }

    [Fact]
    public void An_upstream_asked_although_it_throttles_is_found()
    {
        UpstreamBounds.CheckPause(200, Throttled, _findings);

        Assert.Equal([Invariant.UpstreamIsSpared], _findings.Broken);
    }

    [Fact]
    public void A_waiter_that_is_left_behind_is_found()
    {
        const string None = """
            luma_gateway_access_active{client="a"} 0 1764000000000
            luma_gateway_waiting_waiters{kind="wait"} 0
            luma_gateway_waiting_watched 0
            luma_gateway_upstream_active 0
            luma_gateway_upstream_queued 0
            """;

        Assert.Equal("", Leftovers.In(None));
        Assert.Equal("luma_gateway_waiting_waiters 2", Leftovers.In(None.Replace("\"wait\"} 0", "\"wait\"} 2", StringComparison.Ordinal)));
    }

    [Fact]
    public void Secrets_are_found()
    {
        Assert.True(Secrets.AreIn($"Authorization: Bearer {Secrets.Token(3)}"));
        Assert.True(Secrets.AreIn($"X-Api-Key: {GatewayProcess.ClientKey}"));
        Assert.True(Secrets.AreIn(Secrets.SigningKey));
        Assert.False(Secrets.AreIn("Authorization: Bearer ***"));
    }

    private void Finds(Invariant invariant, params Seen[] tale)
    {
        var witness = new Witness(_findings);
        foreach (var seen in tale)
        {
            Assert.Empty(_findings.Broken); // only the last is a lie
            witness.Saw(seen);
        }

        Assert.Equal([invariant], _findings.Broken);
    }

    private static Seen Answer(string id, string state, double at, string prompt = "a cat") => new(
        "0.1",
        id,
        TimeSpan.FromSeconds(at),
        TimeSpan.FromSeconds(at + 0.1),
        200,
        $$"""{"id":"{{id}}","state":"{{state}}","prompt":"{{prompt}}","video":{{(state is "completed" ? $$"""{"url":"http://upstream/{{id}}.mp4"}""" : "null")}}}""",
        "application/json",
        null);

    private static Seen Refusal(string code, int status, double at) =>
        Answer("done-a", "", at) with { Status = status, Body = $$"""{"code":"{{code}}"}""", MediaType = "application/problem+json" };

    private static RequestCounts Counts(string id, long count) => new(count, 1, new Dictionary<string, long> { [$"GET /luma/generations/{id}"] = count }, new Dictionary<string, long>());
}
