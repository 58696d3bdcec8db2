using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Tests.Upstreams.Dialects;

public sealed class DialectFaultTests
{
    private const string Canary = "canary-7f3a";

    private static readonly (int Status, UpstreamFault Fault)[] Statuses =
    [
        (201, UpstreamFault.Rejected), (204, UpstreamFault.Rejected), (302, UpstreamFault.Rejected), (304, UpstreamFault.Rejected),
        (400, UpstreamFault.Rejected), (401, UpstreamFault.TokenRefused), (402, UpstreamFault.OutOfCredit),
        (403, UpstreamFault.TokenRefused), (404, UpstreamFault.NotFound), (405, UpstreamFault.Rejected), (408, UpstreamFault.Failed),
        (409, UpstreamFault.Rejected), (413, UpstreamFault.Rejected), (422, UpstreamFault.Rejected), (425, UpstreamFault.Failed),
        (429, UpstreamFault.Throttled), (499, UpstreamFault.Rejected), (500, UpstreamFault.Failed),
        (502, UpstreamFault.Failed), (503, UpstreamFault.Failed), (504, UpstreamFault.Failed), (520, UpstreamFault.Failed),
        (599, UpstreamFault.Failed), (600, UpstreamFault.Rejected),
    ];

    public static TheoryData<string> AllDialects => [.. Dialect.All.Select(dialect => dialect.Name)];

    public static MatrixTheoryData<string, (int Status, UpstreamFault Fault)> EveryStatus =>
        new(Dialect.All.Select(dialect => dialect.Name), Statuses);

    public static MatrixTheoryData<string, string> UnreadableBodies => new(
        Dialect.All.Select(dialect => dialect.Name),
        [
            "null", "true", "1", "\"g1\"", "[]", "{}", "[[]]",
            """[{"id":"g1"},{"id":"g1"}]""", """[{"data":{"task_id":"g1"}},{"data":{"task_id":"g1"}}]""",
            """{"error":{"message":"boom","type":"server_error","code":"boom"}}""",
            """{"detail":"Generation not found"}""", """{"detail":[{"type":"uuid_parsing","loc":["path","id"],"msg":"?"}]}""",
            """{"code":"success","data":null}""", """{"code":200,"data":[]}""", """{"code":200,"data":"g1"}""",
            """{"id":"other","data":{"task_id":"other"}}""", """{"id":"G1","data":{"task_id":"G1"}}""",
            """{"id":" g1","data":{"task_id":" g1"}}""", """{"id":null,"data":{"task_id":null}}""",
            """{"id":"","data":{"task_id":""}}""", """{"id":{"g1":"g1"},"data":{"task_id":["g1"]}}""",
            """{"id":"g1\ud800","data":{"task_id":"g1\ud800"}}""",
            """{"ID":"g1","data":{"Task_Id":"g1"}}""",
            """{"id":"g1","state":"completed","error":{"code":500},"data":{"task_id":"g1","status":"completed","error":{"code":500}}}""",
        ]);

    [Theory]
    [MemberData(nameof(EveryStatus))]
    public void A_status_other_than_200_is_its_fault(string dialect, (int Status, UpstreamFault Fault) row)
    {
        var exception = Dialect.ReadFault(dialect, Dialect.BodyWith(dialect, "\"completed\""), (HttpStatusCode)row.Status);

        Assert.Equal(row.Fault, exception.Fault);
    }

    [Theory]
    [MemberData(nameof(EveryStatus))]
    public void A_status_without_a_body_is_the_same_fault(string dialect, (int Status, UpstreamFault Fault) row)
    {
        var exception = Assert.Throws<UpstreamException>(() =>
            Dialect.Named(dialect).Read(GenerationId.Parse("g1", provider: null), (HttpStatusCode)row.Status, default));

        Assert.Equal(row.Fault, exception.Fault);
    }

    [Theory]
    [MemberData(nameof(UnreadableBodies))]
    public void A_200_without_the_generation_of_the_id_is_malformed(string dialect, string body) =>
        Assert.Equal(UpstreamFault.Malformed, Dialect.ReadFault(dialect, body).Fault);

    [Theory]
    [MemberData(nameof(AllDialects))]
    public void A_200_without_a_body_is_malformed(string dialect)
    {
        var exception = Assert.Throws<UpstreamException>(() =>
            Dialect.Named(dialect).Read(GenerationId.Parse("g1", provider: null), HttpStatusCode.OK, default(JsonElement)));

        Assert.Equal(UpstreamFault.Malformed, exception.Fault);
    }

    [Theory]
    [InlineData(200, "\"task_not_exist\"", UpstreamFault.NotFound)]
    [InlineData(400, "\"task_not_exist\"", UpstreamFault.NotFound)]
    [InlineData(400, "404", UpstreamFault.NotFound)]
    [InlineData(400, "\"401\"", UpstreamFault.TokenRefused)]
    [InlineData(400, "\"invalid_request\"", UpstreamFault.Rejected)]
    [InlineData(400, "500", UpstreamFault.Rejected)]
    [InlineData(400, "200", UpstreamFault.Rejected)]
    [InlineData(500, "\"task_not_exist\"", UpstreamFault.Failed)]
    [InlineData(401, "404", UpstreamFault.TokenRefused)]
    [InlineData(200, "404", UpstreamFault.NotFound)]
    [InlineData(200, "401", UpstreamFault.TokenRefused)]
    [InlineData(200, "403", UpstreamFault.TokenRefused)]
    [InlineData(200, "402", UpstreamFault.OutOfCredit)]
    [InlineData(200, "429", UpstreamFault.Throttled)]
    [InlineData(200, "\" Task_Not_Exist \"", UpstreamFault.NotFound)]
    [InlineData(200, "\" 404 \"", UpstreamFault.NotFound)]
    [InlineData(200, "408", UpstreamFault.Failed)]
    [InlineData(200, "425", UpstreamFault.Failed)]
    [InlineData(200, "500", UpstreamFault.Failed)]
    [InlineData(200, "599", UpstreamFault.Failed)]
    [InlineData(200, "600", UpstreamFault.Malformed)]
    [InlineData(200, "199", UpstreamFault.Malformed)]
    [InlineData(200, "404.5", UpstreamFault.Malformed)]
    [InlineData(200, "302", UpstreamFault.Malformed)]
    [InlineData(400, "402", UpstreamFault.OutOfCredit)]
    [InlineData(400, "429", UpstreamFault.Throttled)]
    [InlineData(404, "401", UpstreamFault.NotFound)]
    [InlineData(422, "\"task_not_exist\"", UpstreamFault.NotFound)]
    [InlineData(200, "400", UpstreamFault.Malformed)]
    [InlineData(200, "1", UpstreamFault.Malformed)]
    [InlineData(200, "-1", UpstreamFault.Malformed)]
    [InlineData(200, "200.5", UpstreamFault.Malformed)]
    [InlineData(200, "1e999", UpstreamFault.Malformed)]
    [InlineData(200, "\"fail_to_fetch_task\"", UpstreamFault.Malformed)]
    [InlineData(200, "{}", UpstreamFault.Malformed)]
    [InlineData(200, "false", UpstreamFault.Malformed)]
    public void A_failure_code_of_the_wrapper_is_a_fault(int status, string code, UpstreamFault fault)
    {
        var body = $$$"""{"code":{{{code}}},"message":"?","data":{"task_id":"g1","status":"SUCCESS"}}""";

        Assert.Equal(fault, Dialect.ReadFault("new-api", body, (HttpStatusCode)status).Fault);
        Assert.Equal(fault, Dialect.ReadFault("piapi", body, (HttpStatusCode)status).Fault);
    }

    [Theory]
    [InlineData("\"success\"")]
    [InlineData("\"SUCCESS\"")]
    [InlineData("\" success \"")]
    [InlineData("200.0")]
    [InlineData("0.0")]
    [InlineData("200")]
    [InlineData("\"200\"")]
    [InlineData("0")]
    [InlineData("\"0\"")]
    [InlineData("\"\"")]
    [InlineData("null")]
    public void A_success_code_of_the_wrapper_is_not_a_fault(string code)
    {
        var body = $$$"""{"code":{{{code}}},"message":"?","data":{"task_id":"g1","status":"SUCCESS"}}""";

        Assert.Equal(GenerationState.Completed, Dialect.Read("new-api", body).State);
        Assert.Equal(GenerationState.Completed, Dialect.Read("piapi", body).State);
    }

    [Theory]
    [InlineData("""{"code":0,"raw_message":"","message":"","detail":null}""", false)]
    [InlineData("""{"code":0,"message":"success"}""", false)]
    [InlineData("""{"code":"0"}""", false)]
    [InlineData("""{"code":"","message":""}""", false)]
    [InlineData("{}", false)]
    [InlineData("null", false)]
    [InlineData("\"\"", false)]
    [InlineData("""{"code":10000,"message":"boom"}""", true)]
    [InlineData("""{"code":"boom"}""", true)]
    [InlineData("""{"message":"boom"}""", true)]
    [InlineData("""{"code":null,"detail":"boom"}""", true)]
    [InlineData("""{"code":"","message":"boom"}""", true)]
    public void An_error_object_in_a_completed_generation_is_a_fault_unless_it_is_empty_or_reports_success(string error, bool isRefused)
    {
        foreach (var dialect in Dialect.All)
        {
            var body = Dialect.BodyWith(dialect.Name, "\"completed\"", $"\"error\":{error}");

            if (isRefused)
            {
                Assert.Equal(UpstreamFault.Malformed, Dialect.ReadFault(dialect.Name, body).Fault);
            }
            else
            {
                Assert.Equal(GenerationState.Completed, Dialect.Read(dialect.Name, body).State);
            }
        }
    }

    [Theory]
    [InlineData("new-api")]
    [InlineData("piapi")]
    public void An_error_object_of_the_wrapper_is_a_fault_even_for_a_failed_generation(string dialect) =>
        Assert.Equal(
            UpstreamFault.Malformed,
            Dialect.ReadFault(dialect, """{"error":{"code":7},"data":{"task_id":"g1","status":"failed"}}""").Fault);

    [Theory]
    [MemberData(nameof(UnreadableBodies))]
    public void The_message_of_a_fault_is_a_sentence(string dialect, string body) =>
        Assert.Matches("^The upstream.+\\.$", Dialect.ReadFault(dialect, body).Message);

    [Theory]
    [MemberData(nameof(EveryStatus))]
    public void The_message_of_a_fault_contains_the_status_of_the_upstream(string dialect, (int Status, UpstreamFault Fault) row) =>
        Assert.Equal($"The upstream responded with {row.Status}.", Dialect.ReadFault(dialect, "{}", (HttpStatusCode)row.Status).Message);

    [Theory]
    [InlineData("new-api")]
    [InlineData("piapi")]
    public void The_message_of_a_wrapper_fault_names_the_status_or_the_failure_code(string dialect)
    {
        const string Body = """{"code":404,"data":{"task_id":"g1","status":"completed"}}""";

        Assert.Equal("The upstream responded with 400.", Dialect.ReadFault(dialect, Body, HttpStatusCode.BadRequest).Message);
        Assert.Contains("failure code", Dialect.ReadFault(dialect, Body).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, """{"id":"canary-7f3a","data":{"task_id":"canary-7f3a"}}""")]
    [InlineData(200, """{"id":"g1","error":{"code":"canary-7f3a"},"data":{"task_id":"g1","error":{"code":"canary-7f3a"}}}""")]
    [InlineData(200, """{"code":"canary-7f3a","detail":"canary-7f3a"}""")]
    [InlineData(200, "\"canary-7f3a\"")]
    [InlineData(400, """{"code":"canary-7f3a","detail":"canary-7f3a"}""")]
    [InlineData(500, """{"error":{"message":"canary-7f3a"}}""")]
    public void A_fault_contains_nothing_of_the_body(int status, string body)
    {
        foreach (var dialect in Dialect.All)
        {
            var exception = Dialect.ReadFault(dialect.Name, body, (HttpStatusCode)status);

            Assert.DoesNotContain(Canary, exception.ToString(), StringComparison.Ordinal);
        }
    }
}
