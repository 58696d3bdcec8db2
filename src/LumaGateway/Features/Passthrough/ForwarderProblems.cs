using LumaGateway.Contracts;
using LumaGateway.Errors;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Features.Passthrough;

/// <summary>
/// Makes what YARP could not carry a row of the one problem table. A create that may have been done all the same says so: an SDK must not send
/// it again by itself.
/// </summary>
internal sealed class ForwarderProblems(RequestDelegate next, PassthroughMetrics metrics)
{
    public async Task InvokeAsync(HttpContext context)
    {
        await next(context);

        var failure = context.Features.Get<IForwarderErrorFeature>();
        var outcome = HttpMethods.IsPost(context.Request.Method) ? OutcomeOf(context, failure) : null;
        if (outcome is { } known)
        {
            metrics.Created(known);
        }

        if (failure is null || context.Response.HasStarted || KindOf(failure, context) is not { } kind)
        {
            return;
        }

        if (outcome is CreateOutcome.Unknown)
        {
            ShouldRetry.Forbid(context.Response);
        }

        await ProblemWriter.WriteAsync(context, kind);
    }

    private static CreateOutcome? OutcomeOf(HttpContext context, IForwarderErrorFeature? failure) =>
        failure is null ? context.Features.Get<PassedCreate>()?.Outcome : CreateOutcomes.Of(failure, context.Features.Get<Sending>());

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
}
