using System.Diagnostics;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>Counts the attempts of one read and creates a span for each. The attempts of one read never overlap.</summary>
internal sealed class UpstreamAttempts
{
    private const string Span = "attempt";

    private int _count;

    public Activity? Start(UpstreamAccount account)
    {
        var resendCount = _count++;
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
