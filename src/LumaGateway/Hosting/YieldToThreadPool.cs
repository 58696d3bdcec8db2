namespace LumaGateway.Hosting;

/// <summary>
/// Takes requests off the thread that hears of all sockets, where <see cref="SocketSetup"/> has them arrive there: what follows may compute for long,
/// and other connections' bytes would wait behind it. On a thread of the pool it does nothing.
/// </summary>
internal static class YieldToThreadPool
{
    public static IApplicationBuilder UseYieldToThreadPool(this IApplicationBuilder app) =>
        app.Use(static next => context => Thread.CurrentThread.IsThreadPoolThread ? next(context) : HopAsync(context, next));

    private static async Task HopAsync(HttpContext context, RequestDelegate next)
    {
        await Task.Yield();
        await next(context);
    }
}
