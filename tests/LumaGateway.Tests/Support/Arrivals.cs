using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace LumaGateway.Tests.Support;

/// <summary>
/// Counts the requests that had to wait for something. The way from here to the cache's flights never yields, so that a request counted here has joined
/// or begun its flight. Only the very first requests wait for routing to be built: a test has one answered, or sees the upstream asked, before it counts.
/// </summary>
internal sealed class Arrivals : IStartupFilter
{
    private readonly AwaitableCount _waiting = new();

    /// <summary>Until at least so many requests have come to wait.</summary>
    public Task WaitingAsync(int least) => _waiting.ReachAsync(least);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(next => async context =>
        {
            var answering = next(context);
            if (!answering.IsCompleted)
            {
                _waiting.Increment();
            }

            await answering;
        });
        next(app);
    };
}
