using System.Diagnostics;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>Creates a span for each attempt of a read.</summary>
internal static class UpstreamAttempts
{
    private const string Span = "attempt";

    /// <param name="account">The account that is asked.</param>
    /// <param name="resendCount">The number of earlier attempts.</param>
    public static Activity? Start(UpstreamAccount account, int resendCount)
    {
        var span = Instrumentation.Activities.StartActivity(Span);
        span?.SetTag("luma_gateway.upstream.dialect", account.Dialect.Name).SetTag("luma_gateway.upstream.account", account.Name);
        if (resendCount > 0)
        {
            span?.SetTag("http.request.resend_count", resendCount);
        }

        return span;
    }

    public static void RecordFailure(Activity? span, Exception exception) => span?
        .SetTag("error.type", exception is UpstreamException upstream ? UpstreamMetrics.NameOf(upstream.Fault) : TypeOf(exception))
        .SetStatus(ActivityStatusCode.Error, (exception as UpstreamException)?.Message);

    /// <summary>Only the attempt's timeout and the read's deadline cancel an attempt.</summary>
    private static string? TypeOf(Exception exception) =>
        exception is OperationCanceledException ? UpstreamMetrics.NameOf(UpstreamFault.TimedOut) : exception.GetType().FullName;
}
