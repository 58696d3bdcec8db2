namespace LumaGateway.Hosting;

/// <summary>
/// Ends a request whose client has disconnected without an exception. Otherwise Kestrel logs the exception as an error of the application. Must be
/// before every middleware that writes a response.
/// </summary>
internal static class ClientDisconnectMiddleware
{
    public static IApplicationBuilder UseClientDisconnects(this IApplicationBuilder app) => app.Use(static next => context =>
    {
        try
        {
            var task = next(context);
            return task.IsCompletedSuccessfully ? task : AwaitAsync(context, task);
        }
        catch (Exception exception) when (IsDisconnect(context, exception))
        {
            return Task.CompletedTask;
        }
    });

    private static async Task AwaitAsync(HttpContext context, Task task)
    {
        try
        {
            await task;
        }
        catch (Exception exception) when (IsDisconnect(context, exception))
        {
            // The client cannot receive a response.
        }
    }

    private static bool IsDisconnect(HttpContext context, Exception exception) =>
        context.RequestAborted.IsCancellationRequested && exception is (OperationCanceledException or IOException);
}
