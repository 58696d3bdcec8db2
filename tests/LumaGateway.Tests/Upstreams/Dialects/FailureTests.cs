using LumaGateway.Contracts;

namespace LumaGateway.Tests.Upstreams.Dialects;

public sealed class FailureTests
{
    [Theory]
    [InlineData("relay", """ "failure_reason":"why" """, null, "why")]
    [InlineData("relay", """ "error":"why" """, null, "why")]
    [InlineData("relay", """ "error":{"message":"why","type":"t","code":"c"} """, "c", "why")]
    [InlineData("relay", """ "error":{"reason":"why","code":17} """, "17", "why")]
    [InlineData("dream-machine", """ "failure_reason":"why" """, null, "why")]
    [InlineData("agents", """ "failure_reason":"why","failure_code":"content_moderated" """, "content_moderated", "why")]
    [InlineData("agents", """ "failure_reason":"","failure_code":"budget_exhausted" """, "budget_exhausted", null)]
    [InlineData("new-api", """ "fail_reason":"why","data":{"failure_reason":"inner"} """, null, "why")]
    [InlineData("new-api", """ "fail_reason":"","data":{"failure_reason":"why","failure_code":"c"} """, "c", "why")]
    [InlineData("piapi", """ "error":{"code":10000,"raw_message":"raw","message":"why","detail":null} """, "10000", "why")]
    [InlineData("piapi", """ "error":{"code":0,"raw_message":"why","message":""} """, null, "why")]
    [InlineData("piapi", """ "error":{"code":10000,"message":"","detail":{"x":"y"}} """, "10000", null)]
    public void A_failed_generation_carries_its_code_and_its_reason(string dialect, string body, string? code, string? reason)
    {
        var failure = Dialect.Read(dialect, Dialect.BodyWith(dialect, "\"failed\"", body)).Failure;

        Assert.Equal((code, reason), (failure?.Code, failure?.Reason));
    }

    [Theory]
    [InlineData("generation_failed", true)]
    [InlineData("output_not_found", true)]
    [InlineData("rate_limited", true)]
    [InlineData("content_moderated", false)]
    [InlineData("budget_exhausted", false)]
    [InlineData("image_too_large", false)]
    [InlineData("unsupported_format", false)]
    [InlineData("corrupt_input", false)]
    [InlineData("invalid_request", false)]
    [InlineData("another_code", null)]
    public void A_documented_code_decides_whether_a_failure_is_retryable(string code, bool? isRetryable) => Assert.All(
        Dialect.All,
        dialect => Assert.Equal(isRetryable, Dialect.Read(dialect.Name, Dialect.BodyWith(dialect.Name, "\"failed\"", $"\"failure_code\":\"{code}\"")).Failure?.Retryable));

    [Theory]
    [InlineData("relay", """ "failure_reason":"why","fail_reason":"x","failure_code":"c","error":{"message":"x","code":"x"} """)]
    [InlineData("relay", """ "failure_code":"c","fail_reason":"why","error":"x" """)]
    [InlineData("relay", """ "failure_code":"c","failure_reason":" ","fail_reason":"","error":"why" """)]
    [InlineData("relay", """ "failure_code":0,"error":{"code":"c","message":"why","raw_message":"x","reason":"x","detail":"x"} """)]
    [InlineData("relay", """ "error":{"code":"c","message":null,"raw_message":"why","reason":"x","detail":"x"} """)]
    [InlineData("relay", """ "error":{"code":"c","raw_message":{},"reason":"why","detail":"x"} """)]
    [InlineData("relay", """ "error":{"code":"c","detail":"why"} """)]
    [InlineData("new-api", """ "failure_code":"c","fail_reason":"why","data":{"failure_code":"x","failure_reason":"x"} """)]
    [InlineData("new-api", """ "fail_reason":"why","data":{"error":{"code":"c","message":"x"}} """)]
    [InlineData("piapi", """ "error":{"code":"c","message":"why"},"output":{"failure_code":"x","failure_reason":"x"} """)]
    public void A_named_member_counts_before_the_error_object_and_an_outer_one_before_an_inner_one(string dialect, string body) =>
        Assert.Equal(
            new GenerationFailure("c", "why", null),
            Dialect.Read(dialect, Dialect.BodyWith(dialect, "\"failed\"", body)).Failure);

    [Fact]
    public void A_failed_generation_that_says_no_reason_has_an_empty_failure()
    {
        foreach (var dialect in Dialect.All)
        {
            var generation = Dialect.Read(dialect.Name, Dialect.BodyWith(dialect.Name, "\"failed\""));

            Assert.Equal(new GenerationFailure(null, null, null), generation.Failure);
        }
    }

    [Fact]
    public void A_reason_on_a_generation_that_has_not_failed_is_no_failure()
    {
        foreach (var dialect in Dialect.All)
        {
            var body = Dialect.BodyWith(dialect.Name, "\"processing\"", """
                "failure_reason":"why","fail_reason":"why","failure_code":"c","error":"why"
                """);

            Assert.Null(Dialect.Read(dialect.Name, body).Failure);
        }
    }
}
