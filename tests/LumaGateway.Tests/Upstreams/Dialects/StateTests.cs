using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Tests.Upstreams.Dialects;

public sealed class StateTests
{
    private static readonly (GenerationState State, string[] Spellings)[] Table =
    [
        (GenerationState.Queued,
        [
            "queued", "queue", "queuing", "queueing", "pending", "staged", "submitted", "submitting", "created", "not_start", "starting", "in_queue", "waiting",
            "scheduled",
        ]),
        (GenerationState.Processing, ["dreaming", "processing", "in_progress", "inprogress", "running", "generating", "started", "rendering"]),
        (GenerationState.Completed, ["completed", "complete", "success", "successful", "succeeded", "succeed", "done", "finished", "finish"]),
        (GenerationState.Failed,
        [
            "failed", "failure", "fail", "error", "cancelled", "canceled", "aborted", "expired", "timeout", "timed_out", "rejected", "moderated",
            "content_moderated", "nsfw", "blocked",
        ]),
    ];

    public static TheoryData<string, string, GenerationState> Spelled
    {
        get
        {
            var rows = new TheoryData<string, string, GenerationState>();
            foreach (var dialect in Dialect.All)
            {
                foreach (var (state, spellings) in Table)
                {
                    foreach (var spelling in spellings)
                    {
                        rows.Add(dialect.Name, spelling, state);
                        rows.Add(dialect.Name, spelling.ToUpperInvariant(), state);
                        rows.Add(dialect.Name, spelling.Replace('_', '-'), state);
                        rows.Add(dialect.Name, spelling.Replace('_', ' '), state);
                        rows.Add(dialect.Name, $" {char.ToUpperInvariant(spelling[0])}{spelling[1..]}\t", state);
                    }
                }
            }

            return rows;
        }
    }

    public static MatrixTheoryData<string, string> Unknown => new(
        Dialect.All.Select(dialect => dialect.Name),
        ["null", "\"\"", "\"  \"", "\"_\"", "\"UNKNOWN\"", "\"upscaling\"", "\"not completed\"", $"\"{new string('x', 100)}\"", "3", "true", "{}", "[\"completed\"]", "\"\\ud800\""]);

    [Theory]
    [MemberData(nameof(Spelled))]
    public void A_state_is_read_however_it_is_spelled(string dialect, string spelling, GenerationState state)
    {
        var answer = Dialect.Answer(dialect, Dialect.BodyWith(dialect, JsonSerializer.Serialize(spelling)));

        Assert.Equal(state, answer.Generation.State);
        Assert.True(answer.IsKnownState);
        Assert.Equal(state is GenerationState.Failed, answer.Generation.Failure is not null);
    }

    [Theory]
    [MemberData(nameof(Unknown))]
    public void An_unknown_state_is_processing_and_marked_as_unknown(string dialect, string state)
    {
        var answer = Dialect.Answer(dialect, Dialect.BodyWith(dialect, state));

        Assert.Equal(GenerationState.Processing, answer.Generation.State);
        Assert.False(answer.IsKnownState);
    }

    [Theory]
    [InlineData("relay", """{"id":"g1"}""")]
    [InlineData("dream-machine", """{"id":"g1"}""")]
    [InlineData("agents", """{"id":"g1"}""")]
    [InlineData("new-api", """{"data":{"task_id":"g1"}}""")]
    [InlineData("piapi", """{"data":{"task_id":"g1"}}""")]
    public void An_answer_that_says_nothing_but_its_id_is_processing_and_all_else_null(string dialect, string body)
    {
        var answer = Dialect.Answer(dialect, body);

        Assert.Equal(
            new Generation("g1", GenerationState.Processing, null, null, null, null, null, null, null, null, [], null, null),
            answer.Generation);
        Assert.False(answer.IsKnownState);
    }

    [Theory]
    [InlineData("IN_PROGRESS", "completed", GenerationState.Processing, true)]
    [InlineData("SUCCESS", "failed", GenerationState.Completed, true)]
    [InlineData("UNKNOWN", "completed", GenerationState.Processing, false)]
    [InlineData("", "completed", GenerationState.Completed, true)]
    public void A_wrappers_state_beats_the_wrapped_one(string outer, string inner, GenerationState state, bool isKnown)
    {
        var newApi = Dialect.Answer("new-api", Dialect.BodyWith("new-api", $"\"{outer}\"", $$$"""
            "data":{"state":"{{{inner}}}"}
            """));
        var piApi = Dialect.Answer("piapi", Dialect.BodyWith("piapi", $"\"{outer}\"", $$$"""
            "output":{"internal_state":"{{{inner}}}"}
            """));

        Assert.Equal((state, isKnown), (newApi.Generation.State, newApi.IsKnownState));
        Assert.Equal((state, isKnown), (piApi.Generation.State, piApi.IsKnownState));
    }
}
