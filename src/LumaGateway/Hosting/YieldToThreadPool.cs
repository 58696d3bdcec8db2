namespace LumaGateway.Hosting;

/// <summary>
/// Moves a request from the thread that waits for all sockets to the thread pool. The following middleware may compute for long, and would delay the data
/// of other connections. A request that is already on the thread pool stays on its thread. See <see cref="SocketSetup"/>.
/// </summary>
internal static class YieldToThreadPool
{
    public static IApplicationBuilder UseYieldToThreadPool(this IApplicationBuilder app) =>
        app.Use(static next => context => Thread.CurrentThread.IsThreadPoolThread ? next(context) : YieldAsync(context, next));

    private static async Task YieldAsync(HttpContext context, RequestDelegate next)
    {
        await Task.Yield();
        await next(context);
    }
}
