using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Turns a forwarding error of YARP into a problem response. For a create with an unknown outcome the response forbids retries, because an SDK would
/// send the create again by itself.
/// </summary>
internal sealed partial class ForwarderErrorMiddleware(RequestDelegate next, ProxyMetrics metrics, ILogger<ForwarderErrorMiddleware> logger)
{
    /// <summary>The most bytes of a create's response that are buffered until it is complete. Every documented response to a create is smaller.</summary>
    public const int MaxBufferedBytes = 8 * 1024;

    public async Task InvokeAsync(HttpContext context)
    {
        var isPost = HttpMethods.IsPost(context.Request.Method); // a create, or the upload of a file
        await (isPost ? BufferResponseAsync(context) : next(context));

        var failure = context.Features.Get<IForwarderErrorFeature>();
        var outcome = isPost ? OutcomeOf(context, failure) : null;
        if (outcome is { } known && CreateRequest.Is(context) && ProxyAccount.Of(context) is { } account)
        {
            metrics.Created(known, account.Name);
        }

        if (!isPost && failure is not null && !context.Response.HasStarted)
        {
            context.RequestAborted.ThrowIfCancellationRequested(); // the caller disconnected; a create continues
        }

        if (failure is null || context.Response.HasStarted || ProblemOf(failure, context) is not { } problem)
        {
            return;
        }

        Log.ForwardingFailed(logger, failure.Error, problem.Status, context.TraceIdentifier);
        var cacheStatus = context.Response.Headers["Cache-Status"];
        context.Response.Clear(); // removes the headers of the incomplete response
        context.Response.Headers["Cache-Status"] = cacheStatus; // reports a purge
        if (outcome is CreateOutcome.Unknown)
        {
            ShouldRetryHeader.SetFalse(context.Response);
        }

        await ProblemWriter.WriteAsync(context, problem);
    }

    /// <summary>
    /// Buffers the start of a create's response, so that an incomplete response can be replaced by a problem. An SDK retries a POST with an incomplete response
    /// unless a header forbids it.
    /// </summary>
    private async Task BufferResponseAsync(HttpContext context)
    {
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var buffering = new BufferingStream(body.Stream, MaxBufferedBytes);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(buffering, body));
        try
        {
            await next(context);
            if (context.Features.Get<IForwarderErrorFeature>() is null)
            {
                await buffering.SendBufferAsync(context.RequestAborted);
            }
        }
        finally
        {
            context.Features.Set(body);
        }
    }

    private static CreateOutcome? OutcomeOf(HttpContext context, IForwarderErrorFeature? failure) =>
        failure is null ? context.Features.Get<CreateOutcomeFeature>()?.Outcome : CreateOutcomes.FromFailure(failure, context.Features.Get<SendProgress>());

    private static ProblemKind? ProblemOf(IForwarderErrorFeature failure, HttpContext context) => failure.Error switch
    {
        _ when failure.Exception is UpstreamException fault => ProblemKinds.Of(fault.Fault),
        ForwarderError.RequestTimedOut => ProblemKinds.TimedOut,
        ForwarderError.ResponseBodyDestination when failure.Exception is OperationCanceledException => ProblemKinds.TimedOut, // no byte of the body within ActivityTimeout
        ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled or ForwarderError.ResponseBodyCanceled => context.RequestAborted.IsCancellationRequested
            ? null // the caller disconnected
            : ProblemKinds.TimedOut,
        _ => ProblemKinds.Unreachable,
    };

    private static partial class Log
    {
        [LoggerMessage(4312, LogLevel.Warning, "Forwarding a request under /luma failed: {Error}. The caller gets status {Status} (request {RequestId}).")]
        public static partial void ForwardingFailed(ILogger logger, ForwarderError error, int status, string requestId);
    }
}
