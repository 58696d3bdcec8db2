using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Creating;

/// <summary>
/// Serves a create with <c>Prefer: wait</c>: waits for the created generation as a read does, and responds with its state then. Outside the idempotency record, which
/// keeps the first state. A fault while waiting does not replace the create's own response: the generation exists.
/// </summary>
internal sealed class CreateWaitMiddleware(RequestDelegate next, LongPollReader longPoll)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Headers["Prefer"].Count == 0)
        {
            await next(context);
            return;
        }

        using var created = new MemoryStream();
        await CaptureAsync(context, created);
        if (context.Response.StatusCode is StatusCodes.Status201Created && await WaitAsync(context))
        {
            return;
        }

        context.Response.ContentLength = created.Length;
        await context.Response.Body.WriteAsync(created.ToArray(), context.RequestAborted);
    }

    /// <summary>Runs the create. Its response does not start.</summary>
    private async Task CaptureAsync(HttpContext context, MemoryStream created)
    {
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(created));
        try
        {
            await next(context);
        }
        finally
        {
            context.Features.Set(body);
        }
    }

    /// <summary>Returns false if nothing was written.</summary>
    private async Task<bool> WaitAsync(HttpContext context)
    {
        var location = context.Response.Headers.Location.ToString();
        if (!GenerationId.TryParse(location[(location.LastIndexOf('/') + 1)..], null, out var id) || longPoll.TryRead(id, context) is not { } waiting)
        {
            return false;
        }

        try
        {
            await CreatedResponse.WriteAsync(context, (await waiting).Entry!);
            return true;
        }
        catch (Exception exception) when (exception is UpstreamException or OverLimitException)
        {
            return false;
        }
    }
}
