using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace LumaGateway.Tests.Hosting;

/// <summary>
/// Counts the requests that wait for something. The way from here to the cache's flights never yields, so that a request counted here has joined
/// or begun its flight.
/// </summary>
internal sealed class Arrivals : IStartupFilter
{
    private int _waiting;

    public int Waiting => Volatile.Read(ref _waiting);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(next => async context =>
        {
            var answering = next(context);
            if (!answering.IsCompleted)
            {
                Interlocked.Increment(ref _waiting);
            }

            await answering;
        });
        next(app);
    };
}
