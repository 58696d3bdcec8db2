using LumaGateway.Sandbox.Control;
using LumaGateway.Sandbox.Dialects;
using LumaGateway.Sandbox.Faults;
using LumaGateway.Sandbox.Requests;

namespace LumaGateway.Sandbox;

/// <summary>What stands before the emulated upstream, and never before the sandbox's own pages.</summary>
internal static class Emulation
{
    public static void UseEmulation(this WebApplication app)
    {
        // Counted on arrival, then let in, then spoilt.
        app.UseWhen(IsEmulated, static branch => branch
            .UseMiddleware<CountingMiddleware>()
            .UseMiddleware<TokenMiddleware>()
            .UseMiddleware<FaultMiddleware>());
        app.UseMiddleware<BadRequestMiddleware>();
    }

    private static bool IsEmulated(HttpContext context) =>
        context.Request.Path.HasValue && context.Request.Path != "/" && !context.Request.Path.StartsWithSegments("/sandbox");
}
