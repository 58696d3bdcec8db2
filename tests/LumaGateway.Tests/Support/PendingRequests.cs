using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace LumaGateway.Tests.Support;

/// <summary>
/// Counts the requests that did not complete synchronously. The code from here to the single flight is synchronous, so a counted request has joined or started its
/// fetch. The first requests also wait for routing to be built: a test sends one request before it counts.
/// </summary>
internal sealed class PendingRequests : IStartupFilter
{
    private readonly AwaitableCount _count = new();

    /// <summary>Waits until at least this number of requests is or was pending.</summary>
    public Task WaitForAsync(int count) => _count.ReachAsync(count);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(next => async context =>
        {
            var response = next(context);
            if (!response.IsCompleted)
            {
                _count.Increment();
            }

            await response;
        });
        next(app);
    };
}
