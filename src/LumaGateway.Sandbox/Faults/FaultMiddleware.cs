using System.Globalization;
using LumaGateway.Sandbox.Dialects;

namespace LumaGateway.Sandbox.Faults;

/// <summary>Applies faults to responses: the fault that the id selects, otherwise a rule of the control API.</summary>
internal sealed class FaultMiddleware(
    RequestDelegate next,
    FaultRules rules,
    DialectSet dialects,
    PublicAddress address,
    TimeProvider clock)
{
    private const int DefaultDripMilliseconds = 100;

    public async Task InvokeAsync(HttpContext context)
    {
        var fault = FaultId.Parse(context.Request.RouteValues["id"] as string) ?? rules.Take(context.Request);
        try
        {
            await (fault is null ? next(context) : ApplyAsync(fault, context));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller disconnected, or the fault aborted the connection: no response can be sent.
        }
    }

    private async Task ApplyAsync(FaultRule fault, HttpContext context)
    {
        if (fault.Kind is not FaultKind.Drip)
        {
            await Task.Delay(fault.DelayOr(0), clock, context.RequestAborted);
        }

        await (fault.Kind switch
        {
            FaultKind.Latency => next(context),
            FaultKind.Status => StatusAsync(fault, context),
            FaultKind.Hang => Task.Delay(Timeout.InfiniteTimeSpan, clock, context.RequestAborted),
            FaultKind.Reset => ResetAsync(context),
            FaultKind.Redirect => RedirectAsync(context),
            FaultKind.Truncated => TruncatedBody.WriteResponseAsync(context, next, clock),
            FaultKind.Drip => DrippingBody.WriteResponseAsync(context, next, fault.DelayOr(DefaultDripMilliseconds), clock),
            FaultKind.WrongId => OtherIdBody.WriteResponseAsync(context, next),
            _ => FixedBody.WriteResponseAsync(context, fault.Kind),
        });
    }

    private Task StatusAsync(FaultRule fault, HttpContext context)
    {
        var status = fault.Status ?? StatusCodes.Status503ServiceUnavailable;
        if (fault.RetryAfter is not null)
        {
            context.Response.Headers.RetryAfter = fault.RetryAfter.ToString();
        }

        if (fault.RetryAfterMs is { } milliseconds)
        {
            context.Response.Headers["retry-after-ms"] = milliseconds.ToString(CultureInfo.InvariantCulture);
        }

        var dialect = dialects.Of(context.Request.Path) ?? dialects.All[0];
        return status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified
            ? Results.StatusCode(status).ExecuteAsync(context)
            : dialect.Error(status, "The sandbox was told to fail.").ExecuteAsync(context);
    }

    private static Task ResetAsync(HttpContext context)
    {
        context.Abort(); // Kestrel sends a TCP reset
        return Task.CompletedTask;
    }

    private Task RedirectAsync(HttpContext context)
    {
        var here = new Uri(address.Value);
        var elsewhere = new UriBuilder(here)
        {
            Host = here.Host is "localhost" ? "127.0.0.1" : "localhost",
            Path = $"/redirected{context.Request.Path}",
        };
        context.Response.Redirect(elsewhere.Uri.ToString());
        return Task.CompletedTask;
    }
}
