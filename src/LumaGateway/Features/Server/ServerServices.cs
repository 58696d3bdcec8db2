using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Features.Server;

/// <summary>Registers how the gateway listens, what it takes from anybody, whose word it believes, and the management port.</summary>
internal static class ServerServices
{
    public static IServiceCollection AddGatewayServer(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<ServerOptions, ServerOptionsValidator>().BindConfiguration(ServerOptions.Section);
        services.AddSingleton<IConfigureOptions<KestrelServerOptions>, KestrelSetup>();

        services.AddOptionsWithValidateOnStart<ForwardingOptions, ForwardingOptionsRules>().BindConfiguration(ForwardingOptions.Section);
        services.AddSingleton<IPostConfigureOptions<ForwardedHeadersOptions>, ForwardingSetup>();

        services.AddOptionsWithValidateOnStart<ManagementOptions, ManagementOptionsValidator>().BindConfiguration(ManagementOptions.Section);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<MatcherPolicy, ManagementPolicy>());

        return services;
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
