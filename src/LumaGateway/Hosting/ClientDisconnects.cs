namespace LumaGateway.Hosting;

/// <summary>
/// Ends requests whose callers have left. What then fails is nobody's fault and needs no log line; past the exception handler the server would log it as an
/// Error of the application. To be called before anything that answers.
/// </summary>
internal static class ClientDisconnects
{
    public static IApplicationBuilder UseClientDisconnects(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        try
        {
            var running = next(context);
            return running.IsCompletedSuccessfully ? running : FollowAsync(context, running);
        }
        catch (Exception exception) when (IsDeparture(context, exception))
        {
            return Task.CompletedTask;
        }
    });

    private static async Task FollowAsync(HttpContext context, Task running)
    {
        try
        {
            await running;
        }
        catch (Exception exception) when (IsDeparture(context, exception))
        {
            // Nobody is there to be answered.
        }
    }

    private static bool IsDeparture(HttpContext context, Exception exception) =>
        context.RequestAborted.IsCancellationRequested && exception is (OperationCanceledException or IOException);
}
