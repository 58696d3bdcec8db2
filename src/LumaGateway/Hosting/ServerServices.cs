using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Registers the HTTP server: listeners, limits, trusted proxies, the management port and shutdown.</summary>
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
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ManagementPortMatcherPolicy>());

        services.AddSingleton<DrainingTransport>();
        services.AddSingleton<IConnectionListenerFactory>(provider => provider.GetRequiredService<DrainingTransport>());
        services.AddHostedService<StartupGarbageCollection>();
        services.AddSingleton<Shutdown>();
        services.AddSingleton<IHostLifetime>(provider => provider.GetRequiredService<Shutdown>());

        return services;
    }

    /// <summary>
    /// Closes each connection with its response during shutdown. Load balancers then open connections to other replicas, and no idle connection remains
    /// that would close while a request arrives.
    /// </summary>
    public static void UseShutdown(this WebApplication app)
    {
        var shutdown = app.Services.GetRequiredService<Shutdown>();
        app.Use(next => context =>
        {
            if (shutdown.HasStarted)
            {
                context.Response.OnStarting(static response => Close((HttpResponse)response), context.Response); // set late: a problem response clears earlier headers
            }

            return next(context);
        });

        static Task Close(HttpResponse response)
        {
            response.Headers.Connection = "close";
            return Task.CompletedTask;
        }
    }

    /// <summary>Maps the Prometheus endpoint if there is a management port.</summary>
    public static void MapMetrics(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is not null)
        {
            app.MapPrometheusScrapingEndpoint("/metrics").DisableHttpMetrics().RequireManagementPort();
        }
    }

    /// <summary>Serves an endpoint on <c>Management:Port</c> only; other ports respond with 404.</summary>
    public static TBuilder RequireManagementPort<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new ManagementPortMetadata());
}
