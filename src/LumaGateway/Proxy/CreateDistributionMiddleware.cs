using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Sends a create whose account was chosen by weight. After a <see cref="CreateRefusal"/>, or a failure before the first byte was sent, sends it to the next one. A create with
/// an unknown outcome is never sent again. <see cref="UpstreamTransformProvider"/> finds the refusals.
/// </summary>
internal sealed partial class CreateDistributionMiddleware(
    RequestDelegate next, AccountChooser chooser, ProxyMetrics metrics, IOptions<PassthroughOptions> options, ILogger<CreateDistributionMiddleware> logger)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<ProxyAccount>() is not { IsChosen: true } account)
        {
            return next(context);
        }

        return account.HasAlternatives && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false
            ? SpoolAsync(context, account)
            : SendAsync(context, account, null);
    }

    /// <summary>Reads the body before it is sent, so that it can be sent again.</summary>
    private async Task SpoolAsync(HttpContext context, ProxyAccount account)
    {
        RequestBodyLimit.Apply(context);
        SpooledBody? body;
        try
        {
            body = await SpooledBody.ReadAsync(context.Request, RequestBodyLimit.OfRoute(context) is >= 0 and var bytes ? bytes : options.Value.MaxBodyBytes);
        }
        catch (SpoolException failure)
        {
            Log.NotSpooled(logger, failure.InnerException!.GetType().Name, context.TraceIdentifier);
            await ProblemWriter.WriteAsync(
                context, ProblemKinds.IdempotencyUnavailable, "The gateway could not write the body to its temporary directory, so nothing was sent to the upstream.");
            return;
        }

        if (body is null)
        {
            await ProblemWriter.WriteAsync(context, ProblemKinds.TooLarge);
            return;
        }

        await using (body)
        {
            context.Request.Headers.ContentLength = body.Content.Length;
            context.Request.Headers.Remove(HeaderNames.TransferEncoding);
            await SendAsync(context, account, body.Content);
        }
    }

    private async Task SendAsync(HttpContext context, ProxyAccount account, Stream? body)
    {
        do
        {
            account.Start();
            if (body is not null)
            {
                body.Position = 0;
                context.Request.Body = body;
            }

            context.Response.StatusCode = StatusCodes.Status200OK; // YARP forwards only if no response was set
            context.Features.Set<IForwarderErrorFeature>(null);
            context.Features.Set<CreateOutcomeFeature>(null);
            context.Features.Set<SendProgress>(null);
            await next(context);
            if (context.Features.Get<IForwarderErrorFeature>() is { } failure && !context.RequestAborted.IsCancellationRequested
                && CreateOutcomes.FromFailure(failure, context.Features.Get<SendProgress>()) is CreateOutcome.Refused && failure.Error is not ForwarderError.RequestBodyClient)
            {
                account.Account.RecordRefusal((failure.Exception as UpstreamException)?.Fault ?? UpstreamFault.Unreachable, null);
                account.TryMove(chooser);
            }

            if (account.MovedFrom is { } refusing)
            {
                metrics.Moved(refusing.Name);
            }
        }
        while (account.MovedFrom is not null);
    }

    private static partial class Log
    {
        [LoggerMessage(4313, LogLevel.Warning, "The body of a create that may move to another account could not be written to the temporary directory ({Error}), so the create was not sent. Give the gateway a writable directory in TMPDIR (request {RequestId}).")]
        public static partial void NotSpooled(ILogger logger, string error, string requestId);
    }
}
