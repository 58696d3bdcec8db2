using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Sends a create whose account was chosen by weight. After a <see cref="CreateRefusal"/>, or a failure before the first byte was sent, sends it to the next one. A create with
/// an unknown outcome is never sent again. <see cref="UpstreamTransformProvider"/> finds the refusals.
/// </summary>
internal sealed class CreateDistributionMiddleware(RequestDelegate next, AccountChooser chooser, ProxyMetrics metrics)
{
    public Task InvokeAsync(HttpContext context) =>
        context.Features.Get<ProxyAccount>() is { IsChosen: true } account ? SendAsync(context, account) : next(context);

    private async Task SendAsync(HttpContext context, ProxyAccount account)
    {
        do
        {
            account.Start();
            if (context.Features.Get<SpooledBody>() is { } body)
            {
                BodySpooler.Send(context, body);
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
}
