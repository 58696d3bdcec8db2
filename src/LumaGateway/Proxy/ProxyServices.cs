using LumaGateway.Access;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>Registers and maps the upstream's own API under <c>/luma</c>: YARP carries it unread, with the token put in.</summary>
internal static class ProxyServices
{
    public static IServiceCollection AddProxy(this IServiceCollection services, IConfigurationSection routes)
    {
        services.AddOptionsWithValidateOnStart<PassthroughOptions, PassthroughOptionsValidator>().BindConfiguration(PassthroughOptions.Section);
        services.AddOptionsWithValidateOnStart<ProxyRoutes, ProxyRoutesRules>().Configure(proxy => proxy.Settings = routes);
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<GenerationIdConstraint>(GenerationIdConstraint.Name));
        services.AddSeries<ProxyMetrics>();
        services.AddIdempotency();
        services.AddSingleton<IForwarderHttpClientFactory, UpstreamForwarderClients>();
        services.AddReverseProxy()
            .LoadFromConfig(routes)
            .AddConfigFilter<UpstreamCluster>()
            .AddTransforms<UpstreamTransforms>();

        return services;
    }

    public static void MapProxy(this IEndpointRouteBuilder app) =>
        app.MapReverseProxy(static pipeline =>
            {
                pipeline.Use(PlainPath.CheckAsync);
                pipeline.Use(IgnoreUpgrade.PassAsync);
                pipeline.UseMiddleware<ForwarderErrorMiddleware>();
                pipeline.UseMiddleware<ProxyCacheMiddleware>();
                pipeline.UseMiddleware<IdempotencyMiddleware>();
                pipeline.UseMiddleware<CallbackUrlMiddleware>(); // innermost: a repeated create must compare as its caller sent it
            })
            .ConfigureEndpoints(static (endpoint, route) =>
            {
                var named = RoutePermission.Of(route);
                endpoint.RequireRight(Rights.Raw, forPost: named ?? Rights.Create, forDelete: named ?? Rights.Delete);
            });
}
