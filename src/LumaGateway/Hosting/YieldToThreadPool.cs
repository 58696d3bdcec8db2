namespace LumaGateway.Hosting;

/// <summary>
/// Moves a request from the thread that waits for all sockets to the thread pool. The following middleware may compute for long, and would delay the data
/// of other connections. A request that is already on the thread pool stays on its thread. See <see cref="SocketSetup"/>.
/// </summary>
internal static class YieldToThreadPool
{
    public static IApplicationBuilder UseYieldToThreadPool(this IApplicationBuilder app)
    {
        var requests = new RequestQueue();
        return app.Use(next => context => Thread.CurrentThread.IsThreadPoolThread ? next(context) : YieldAsync(requests, context, next));
    }

    private static async Task YieldAsync(RequestQueue requests, HttpContext context, RequestDelegate next)
    {
        await requests;
        await next(context);
    }
}
