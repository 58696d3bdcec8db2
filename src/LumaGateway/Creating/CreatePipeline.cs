using LumaGateway.Proxy.Idempotency;

namespace LumaGateway.Creating;

/// <summary>The middleware of a create. The idempotency record is that of creates under <c>/luma</c>, with the path <c>/generations</c> and the caller's own body.</summary>
internal sealed class CreatePipeline(IServiceProvider services, CreateHandler handler)
{
    private readonly CreateWaitMiddleware _first = ActivatorUtilities.CreateInstance<CreateWaitMiddleware>(
        services, (RequestDelegate)ActivatorUtilities.CreateInstance<IdempotencyMiddleware>(services, (RequestDelegate)handler.HandleAsync).InvokeAsync);

    public Task InvokeAsync(HttpContext context) => _first.InvokeAsync(context);
}
