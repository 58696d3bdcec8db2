using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Makes what YARP could not carry a row of the one problem table. A create that may have been done all the same says so: an SDK must not send
/// it again by itself.
/// </summary>
internal sealed partial class ForwarderErrorMiddleware(RequestDelegate next, ProxyMetrics metrics, ILogger<ForwarderErrorMiddleware> logger)
{
    /// <summary>The most of a create's answer that waits for its end, in bytes: more than any answer to a create that Luma documents.</summary>
    private const int HeldBytes = 8 * 1024;

    public async Task InvokeAsync(HttpContext context)
    {
        var isCreate = HttpMethods.IsPost(context.Request.Method);
        await (isCreate ? HoldAsync(context) : next(context));

        var failure = context.Features.Get<IForwarderErrorFeature>();
        var outcome = isCreate ? OutcomeOf(context, failure) : null;
        if (outcome is { } known)
        {
            metrics.Created(known);
        }

        if (failure is null || context.Response.HasStarted || KindOf(failure, context) is not { } kind)
        {
            return;
        }

        Log.NotCarried(logger, failure.Error, kind.Status, context.TraceIdentifier);
        context.Response.Clear(); // headers of the answer that broke off
        if (outcome is CreateOutcome.Unknown)
        {
            ShouldRetry.Forbid(context.Response);
        }

        await ProblemWriter.WriteAsync(context, kind);
    }

    /// <summary>Sends nothing of a create's answer that breaks off early: an SDK repeats a POST whose answer broke off, unless a problem forbids it.</summary>
    private async Task HoldAsync(HttpContext context)
    {
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var held = new BufferingStream(body.Stream, HeldBytes);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(held, body));
        try
        {
            await next(context);
            if (context.Features.Get<IForwarderErrorFeature>() is null)
            {
                await held.ReleaseAsync(context.RequestAborted);
            }
        }
        finally
        {
            context.Features.Set(body);
        }
    }

    private static CreateOutcome? OutcomeOf(HttpContext context, IForwarderErrorFeature? failure) =>
        failure is null ? context.Features.Get<PassedCreate>()?.Outcome : CreateOutcomes.Of(failure, context.Features.Get<SendProgress>());

    private static ProblemKind? KindOf(IForwarderErrorFeature failure, HttpContext context) => failure.Error switch
    {
        _ when failure.Exception is UpstreamException fault => ProblemKinds.Of(fault.Fault),
        ForwarderError.RequestTimedOut or ForwarderError.UpgradeActivityTimeout => ProblemKinds.TimedOut,
        ForwarderError.RequestBodyClient => ProblemKinds.Of(
            failure.Exception?.GetBaseException() is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status400BadRequest),
        ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled => context.RequestAborted.IsCancellationRequested
            ? null // the caller went away
            : ProblemKinds.TimedOut,
        _ => ProblemKinds.Unreachable,
    };

    private static partial class Log
    {
        [LoggerMessage(4312, LogLevel.Warning, "A request under /luma could not be carried: {Error}; the caller was answered {Status} (request {RequestId}).")]
        public static partial void NotCarried(ILogger logger, ForwarderError error, int status, string requestId);
    }
}
