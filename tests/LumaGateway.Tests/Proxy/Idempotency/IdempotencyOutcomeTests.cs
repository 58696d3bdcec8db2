using System.Net;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>What is known of a create once it is over. In doubt it may have been done. Needs nothing.</summary>
public sealed class IdempotencyOutcomeTests
{
    [Theory]
    [InlineData("settled", 200, 201, 299, 400, 422)]
    [InlineData("refused", 199, 300, 302, 399, 401, 402, 403, 404, 407, 409, 421, 423, 429, 499)]
    [InlineData("unknown", 408, 500, 501, 502, 503, 504, 599)]
    public void A_status_alone_tells(string outcome, params int[] statuses) =>
        Assert.All(statuses, status => Assert.Equal(outcome, NameOf(Answer(status))));

    [Fact]
    public void An_unavailable_upstream_that_says_when_it_will_take_the_create_refused_it()
    {
        Assert.Equal("refused", NameOf(Answer(503, retryAfter: "3")));
        Assert.Equal("unknown", NameOf(Answer(502, retryAfter: "3")));
        Assert.Equal("unknown", NameOf(Answer(500, retryAfter: "3")));
    }

    [Theory]
    [InlineData(500, "true", "refused")]
    [InlineData(502, "TRUE", "refused")]
    [InlineData(500, "false", "unknown")]
    [InlineData(500, "perhaps", "unknown")]
    [InlineData(408, "true", "unknown")] // it counts from 500 on
    [InlineData(429, "false", "refused")]
    [InlineData(201, "true", "settled")]
    public void An_upstream_that_fails_is_believed_when_it_says_whether_to_repeat(int status, string shouldRetry, string outcome) =>
        Assert.Equal(outcome, NameOf(Answer(status, shouldRetry: [shouldRetry])));

    [Fact]
    public void What_it_says_counts_more_than_that_it_says_when() =>
        Assert.Equal("unknown", NameOf(Answer(503, retryAfter: "3", shouldRetry: ["false"])));

    [Fact]
    public void A_word_that_means_nothing_leaves_the_status_to_tell() =>
        Assert.Equal("refused", NameOf(Answer(503, retryAfter: "3", shouldRetry: ["perhaps"])));

    [Fact]
    public void Of_two_words_the_first_counts() => Assert.Equal("refused", NameOf(Answer(500, shouldRetry: ["true", "false"])));

    [Theory]
    [InlineData(ForwarderError.RequestCreation, "refused")]
    [InlineData(ForwarderError.NoAvailableDestinations, "refused")]
    [InlineData(ForwarderError.RequestBodyClient, "refused")]
    [InlineData(ForwarderError.Request, "unknown")]
    [InlineData(ForwarderError.RequestTimedOut, "unknown")]
    [InlineData(ForwarderError.RequestCanceled, "unknown")]
    [InlineData(ForwarderError.RequestBodyCanceled, "unknown")]
    [InlineData(ForwarderError.RequestBodyDestination, "unknown")]
    [InlineData(ForwarderError.ResponseHeaders, "unknown")]
    [InlineData(ForwarderError.ResponseBodyDestination, "unknown")]
    public void A_failure_tells_by_how_far_the_create_had_come(ForwarderError error, string outcome) => Assert.Equal(outcome, NameOf(new Failure(error, null)));

    [Theory]
    [InlineData(HttpRequestError.NameResolutionError, "refused")]
    [InlineData(HttpRequestError.ConnectionError, "refused")]
    [InlineData(HttpRequestError.SecureConnectionError, "refused")]
    [InlineData(HttpRequestError.ProxyTunnelError, "refused")]
    [InlineData(HttpRequestError.VersionNegotiationError, "refused")]
    [InlineData(HttpRequestError.ResponseEnded, "unknown")]
    [InlineData(HttpRequestError.HttpProtocolError, "unknown")]
    [InlineData(HttpRequestError.InvalidResponse, "unknown")]
    [InlineData(HttpRequestError.Unknown, "unknown")]
    public void A_request_that_failed_before_anything_was_sent_was_refused(HttpRequestError error, string outcome)
    {
        Assert.Equal(outcome, NameOf(new Failure(ForwarderError.Request, new HttpRequestException(error))));
        Assert.Equal("unknown", NameOf(new Failure(ForwarderError.ResponseBodyDestination, new HttpRequestException(error)))); // the request was long gone
    }

    [Fact]
    public void A_create_that_found_no_free_place_was_refused_and_no_other_fault_of_the_upstream_is()
    {
        Assert.Equal("refused", NameOf(new Failure(ForwarderError.Request, new UpstreamException(UpstreamFault.Saturated, ""))));
        Assert.Equal("unknown", NameOf(new Failure(ForwarderError.Request, new UpstreamException(UpstreamFault.TimedOut, ""))));
    }

    [Fact]
    public void An_outcome_without_a_name_is_a_fault_of_the_program() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ProxyMetrics.NameOf((CreateOutcome)99));

    private static string NameOf(HttpResponseMessage answer)
    {
        using (answer)
        {
            return ProxyMetrics.NameOf(CreateOutcomes.Of(answer));
        }
    }

    private static string NameOf(IForwarderErrorFeature failure) => ProxyMetrics.NameOf(CreateOutcomes.Of(failure, sending: null));

    private static HttpResponseMessage Answer(int status, string? retryAfter = null, params string[] shouldRetry)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status);
        answer.Headers.TryAddWithoutValidation("Retry-After", retryAfter is null ? [] : [retryAfter]);
        answer.Headers.TryAddWithoutValidation("x-should-retry", shouldRetry);
        return answer;
    }

    private sealed record Failure(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
}
