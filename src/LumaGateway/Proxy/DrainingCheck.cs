using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;

namespace LumaGateway.Proxy;

/// <summary>
/// Refuses a create whose account is draining. Must be inside <see cref="IdempotencyMiddleware"/>: a repetition of an earlier create gets its recorded response.
/// </summary>
internal static class DrainingCheck
{
    public static Task CheckAsync(HttpContext context, RequestDelegate next) =>
        CreateRequest.Is(context) && ProxyAccount.Of(context) is { Options.Draining: true }
            ? ProblemWriter.WriteAsync(context, ProblemKinds.AccountDraining)
            : next(context);
}
