using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Registers how the gateway listens, what it takes from anybody, whose word it believes, the management port, and how it ends.</summary>
internal static class ServerServices
{
    public static IServiceCollection AddGatewayServer(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<ServerOptions, ServerOptionsValidator>().BindConfiguration(ServerOptions.Section);
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, KestrelSetup>();
        services.AddSingleton<IConfigureOptions<SocketTransportOptions>, SocketSetup>();

        services.AddOptionsWithValidateOnStart<ForwardingOptions, ForwardingOptionsRules>().BindConfiguration(ForwardingOptions.Section);
        services.AddSingleton<IPostConfigureOptions<ForwardedHeadersOptions>, ForwardingSetup>();

        services.AddOptionsWithValidateOnStart<ManagementOptions, ManagementOptionsValidator>().BindConfiguration(ManagementOptions.Section);
        services.AddSingleton<IValidateOptions<ManagementOptions>, ManagementOptionsRules>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ManagementPolicy>());

        services.AddSingleton<DrainingTransport>();
        services.AddSingleton<IConnectionListenerFactory>(provider => provider.GetRequiredService<DrainingTransport>());
        services.AddHostedService<StartMemory>();
        services.AddSingleton<Shutdown>();
        services.AddSingleton<IHostLifetime>(provider => provider.GetRequiredService<Shutdown>());

        return services;
    }

    /// <summary>
    /// Has connections end with their answers once the process was told to stop. Load balancers then open new ones, which go elsewhere, and none is
    /// left idle that would be closed under a request.
    /// </summary>
    public static void UseShutdown(this WebApplication app)
    {
        var shutdown = app.Services.GetRequiredService<Shutdown>();
        app.Use(next => context =>
        {
            if (shutdown.IsBegun)
            {
                context.Response.OnStarting(static response => Close((HttpResponse)response), context.Response); // problems clear what was set before
            }

            return next(context);
        });

        static Task Close(HttpResponse response)
        {
            response.Headers.Connection = "close";
            return Task.CompletedTask;
        }
    }

    /// <summary>Maps what Prometheus scrapes, where there is a management port.</summary>
    public static void MapMetrics(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is not null)
        {
            app.MapPrometheusScrapingEndpoint("/metrics").DisableHttpMetrics().RequireManagementPort();
        }
    }

    /// <summary>Serves an endpoint on <c>Management:Port</c> alone; elsewhere there is nothing at its path.</summary>
    public static TBuilder RequireManagementPort<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ManagementOnly());
}
