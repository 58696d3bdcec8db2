using LumaGateway.Sandbox.Control;
using LumaGateway.Sandbox.Dialects;
using LumaGateway.Sandbox.Faults;
using LumaGateway.Sandbox.Requests;

namespace LumaGateway.Sandbox;

/// <summary>Adds the middleware of the emulated upstream; the sandbox's own pages do not pass it.</summary>
internal static class Emulation
{
    public static void UseEmulation(this WebApplication app)
    {
        // In this order: count the request, check the token, apply a fault.
        app.UseWhen(IsEmulated, static branch => branch
            .UseMiddleware<CountingMiddleware>()
            .UseMiddleware<TokenMiddleware>()
            .UseMiddleware<FaultMiddleware>());
        app.UseMiddleware<BadRequestMiddleware>();
    }

    private static bool IsEmulated(HttpContext context) =>
        context.Request.Path.HasValue && context.Request.Path != "/" && !context.Request.Path.StartsWithSegments("/sandbox");
}
