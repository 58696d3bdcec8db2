using LumaGateway.Proxy.Idempotency;
using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Proxy;

/// <summary>
/// Reads the whole body of a request before it is forwarded: a caller that sends slowly must not hold a slot, a connection or a share of <c>Limits:Upstream</c>. Must be outside
/// the middleware that takes them, and inside the middleware that changes the body.
/// </summary>
internal sealed class RequestBodyMiddleware(RequestDelegate next, BodySpooler spooler)
{
    /// <summary>The most bytes that <see cref="UserIdMiddleware"/> and <see cref="CallbackUrlMiddleware"/> add.</summary>
    private const int MaxAddedBytes = 16 * 1024;

    public Task InvokeAsync(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody is not false ? ReadAsync(context) : next(context);

    private async Task ReadAsync(HttpContext context)
    {
        if (await spooler.ReadAsync(context, MaxAddedBytes) is { } body)
        {
            await using (body)
            {
                BodySpooler.Send(context, body);
                await next(context);
            }
        }
    }
}
