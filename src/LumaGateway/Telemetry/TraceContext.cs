using System.Diagnostics;

namespace LumaGateway.Telemetry;

/// <summary>
/// Gives a request a trace where the host gave it none: the caller's, if it named one (W3C Trace Context), else a new one. Problems and log lines name
/// it whether or not spans are collected. The host itself makes activities only where they are, or where its own log category
/// <c>Microsoft.AspNetCore.Hosting.Diagnostics</c> is on; appsettings.json has it off, because a hit needs neither.
/// </summary>
internal static class TraceContext
{
    private const string Operation = "request";

    public static IApplicationBuilder UseTraceContext(this IApplicationBuilder app) =>
        app.Use(static next => context => Activity.Current is null ? TraceAsync(context, next) : next(context));

    private static async Task TraceAsync(HttpContext context, RequestDelegate next)
    {
        using var activity = new Activity(Operation);
        var headers = context.Request.Headers;
        if (ActivityContext.TryParse(headers.TraceParent, headers.TraceState, out var caller))
        {
            activity.SetParentId(caller.TraceId, caller.SpanId, caller.TraceFlags);
            activity.TraceStateString = caller.TraceState;
        }

        activity.Start();
        await next(context);
    }
}
