using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Sends a create whose account was chosen by weight. After a <see cref="CreateRefusal"/>, or a failure before the first byte was sent, sends it to the next one. A create with
/// an unknown outcome is never sent again. <see cref="UpstreamTransformProvider"/> finds the refusals.
/// </summary>
internal sealed class CreateDistributionMiddleware(RequestDelegate next, AccountChooser chooser, BodySpooler spooler, ProxyMetrics metrics)
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
        if (await spooler.ReadAsync(context) is { } body)
        {
            await using (body)
            {
                await SendAsync(context, account, body);
            }
        }
    }

    private async Task SendAsync(HttpContext context, ProxyAccount account, SpooledBody? body)
    {
        do
        {
            account.Start();
            if (body is not null)
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
