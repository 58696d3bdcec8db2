using System.Diagnostics;
using LumaGateway.Problems;
using LumaGateway.Telemetry;

namespace LumaGateway.Upstreams;

/// <summary>Counts the tries of one read and makes each a span, its body and its reading included. One read's tries never overlap.</summary>
internal sealed class UpstreamAttempts
{
    private const string Span = "attempt";

    private int _count;

    public Activity? Begin(string dialect)
    {
        var resends = _count++;
        var span = Instrumentation.Activities.StartActivity(Span);
        span?.SetTag("luma_gateway.upstream.dialect", dialect);
        if (resends > 0)
        {
            span?.SetTag("http.request.resend_count", resends);
        }

        return span;
    }

    public static void Fail(Activity? span, Exception exception) => span?
        .SetTag("error.type", exception is UpstreamException upstream ? UpstreamMetrics.NameOf(upstream.Fault) : TimedOut(exception))
        .SetStatus(ActivityStatusCode.Error, (exception as UpstreamException)?.Message);

    /// <summary>Whoever cancels a try is the clock: of the try, or of the whole way.</summary>
    private static string? TimedOut(Exception exception) =>
        exception is OperationCanceledException ? UpstreamMetrics.NameOf(UpstreamFault.TimedOut) : exception.GetType().FullName;
}
