using System.Diagnostics;

namespace LumaGateway.Telemetry;

/// <summary>
/// Starts an activity for a request if the host did not: with the caller's trace (W3C Trace Context), else a new one. Problems and log lines contain the trace id
/// even if spans are not collected. The host starts an activity only if spans are collected, or if its log category
/// <c>Microsoft.AspNetCore.Hosting.Diagnostics</c> is enabled. appsettings.json disables it, because it would slow down cache hits.
/// </summary>
internal static class TraceContext
{
    private const string Operation = "request";

    /// <summary>Returns the activity to dispose when the request ends; null if the host has started one.</summary>
    public static Activity? StartIfNone(HttpContext context)
    {
        if (Activity.Current is not null)
        {
            return null;
        }

        var activity = new Activity(Operation);
        var headers = context.Request.Headers;
        if (ActivityContext.TryParse(headers.TraceParent, headers.TraceState, out var caller))
        {
            activity.SetParentId(caller.TraceId, caller.SpanId, caller.TraceFlags);
            activity.TraceStateString = caller.TraceState;
        }

        return activity.Start();
    }
}
