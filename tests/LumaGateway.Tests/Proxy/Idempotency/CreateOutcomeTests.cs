using System.Net;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Proxy.Idempotency;

/// <summary>The outcome of a create, from the response or the forwarding error. Needs nothing.</summary>
public sealed class CreateOutcomeTests
{
    [Theory]
    [InlineData("settled", 200, 201, 299, 400, 422)]
    [InlineData("refused", 199, 300, 302, 399, 401, 402, 403, 404, 407, 409, 421, 423, 429, 499)]
    [InlineData("unknown", 408, 500, 501, 502, 503, 504, 599)]
    public void A_status_code_determines_the_outcome(string outcome, params int[] statuses) =>
        Assert.All(statuses, status => Assert.Equal(outcome, NameOf(Response(status))));

    [Fact]
    public void Retry_after_makes_a_503_refused_and_no_other_status()
    {
        Assert.Equal("refused", NameOf(Response(503, retryAfter: "3")));
        Assert.Equal("unknown", NameOf(Response(502, retryAfter: "3")));
        Assert.Equal("unknown", NameOf(Response(500, retryAfter: "3")));
    }

    [Theory]
    [InlineData(500, "true", "refused")]
    [InlineData(502, "TRUE", "refused")]
    [InlineData(500, "false", "unknown")]
    [InlineData(500, "perhaps", "unknown")]
    [InlineData(408, "true", "unknown")] // x-should-retry is read from 5xx responses only
    [InlineData(429, "false", "refused")]
    [InlineData(201, "true", "settled")]
    public void X_should_retry_determines_the_outcome_of_a_5xx_response(int status, string shouldRetry, string outcome) =>
        Assert.Equal(outcome, NameOf(Response(status, shouldRetry: [shouldRetry])));

    [Fact]
    public void X_should_retry_has_precedence_over_retry_after() =>
        Assert.Equal("unknown", NameOf(Response(503, retryAfter: "3", shouldRetry: ["false"])));

    [Fact]
    public void An_invalid_x_should_retry_is_ignored() =>
        Assert.Equal("refused", NameOf(Response(503, retryAfter: "3", shouldRetry: ["perhaps"])));

    [Fact]
    public void The_first_value_of_x_should_retry_is_used() => Assert.Equal("refused", NameOf(Response(500, shouldRetry: ["true", "false"])));

    [Theory]
    [InlineData(ForwarderError.RequestCreation, "refused")]
    [InlineData(ForwarderError.RequestBodyClient, "refused")]
    [InlineData(ForwarderError.Request, "unknown")]
    [InlineData(ForwarderError.RequestTimedOut, "unknown")]
    [InlineData(ForwarderError.RequestCanceled, "unknown")]
    [InlineData(ForwarderError.RequestBodyCanceled, "unknown")]
    [InlineData(ForwarderError.RequestBodyDestination, "unknown")]
    [InlineData(ForwarderError.ResponseHeaders, "unknown")]
    [InlineData(ForwarderError.ResponseBodyDestination, "unknown")]
    public void A_forwarding_error_determines_the_outcome(ForwarderError error, string outcome) => Assert.Equal(outcome, NameOf(new Failure(error, null)));

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
    public void A_request_that_fails_before_sending_is_refused(HttpRequestError error, string outcome)
    {
        Assert.Equal(outcome, NameOf(new Failure(ForwarderError.Request, new HttpRequestException(error))));
        Assert.Equal("unknown", NameOf(new Failure(ForwarderError.ResponseBodyDestination, new HttpRequestException(error)))); // the request was sent before
    }

    [Fact]
    public void A_create_over_the_concurrency_limit_is_refused_and_other_upstream_faults_are_unknown()
    {
        Assert.Equal("refused", ProxyMetrics.NameOf(CreateOutcomes.FromFailure(new Failure(ForwarderError.Request, new UpstreamException(UpstreamFault.Saturated, "")), new SendProgress())));
        Assert.Equal("unknown", NameOf(new Failure(ForwarderError.Request, new UpstreamException(UpstreamFault.TimedOut, ""))));
    }

    [Fact]
    public void An_undefined_outcome_throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ProxyMetrics.NameOf((CreateOutcome)99));

    private static string NameOf(HttpResponseMessage response)
    {
        using (response)
        {
            return ProxyMetrics.NameOf(CreateOutcomes.FromResponse(response));
        }
    }

    private static string NameOf(IForwarderErrorFeature failure) => ProxyMetrics.NameOf(CreateOutcomes.FromFailure(failure, progress: null));

    private static HttpResponseMessage Response(int status, string? retryAfter = null, params string[] shouldRetry)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status);
        response.Headers.TryAddWithoutValidation("Retry-After", retryAfter is null ? [] : [retryAfter]);
        response.Headers.TryAddWithoutValidation("x-should-retry", shouldRetry);
        return response;
    }

    private sealed record Failure(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;
}
