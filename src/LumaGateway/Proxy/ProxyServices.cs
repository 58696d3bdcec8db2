using LumaGateway.Access;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>Registers and maps the upstream's API under <c>/luma</c>. YARP forwards it and adds the gateway's token.</summary>
internal static class ProxyServices
{
    public static IServiceCollection AddProxy(this IServiceCollection services, IConfigurationSection routes)
    {
        services.AddOptionsWithValidateOnStart<PassthroughOptions, PassthroughOptionsValidator>().BindConfiguration(PassthroughOptions.Section);
        services.AddSingleton<IValidateOptions<PassthroughOptions>, PassthroughOptionsRules>();
        services.AddOptionsWithValidateOnStart<ProxyRoutes, ProxyRoutesRules>().Configure(proxy => proxy.Settings = routes);
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<GenerationIdConstraint>(GenerationIdConstraint.Name));
        services.AddGatewayMetrics<ProxyMetrics>();
        services.AddSingleton<IValidateOptions<AccessOptions>, ClientAccountRules>();
        services.AddIdempotency();
        services.AddSingleton<CreateJobs>();
        services.AddSingleton<IForwarderHttpClientFactory, UpstreamForwarderClientFactory>();
        services.AddReverseProxy()
            .LoadFromConfig(routes)
            .AddConfigFilter<UpstreamConfigFilter>()
            .AddTransforms<UpstreamTransformProvider>();

        return services;
    }

    public static void MapProxy(this IEndpointRouteBuilder app)
    {
        // YARP adds the services of authorization policies, so WebApplication would run their middleware for every request. No route has a policy (RouteRules).
        ((IApplicationBuilder)app).Properties["__AuthorizationMiddlewareSet"] = true;
        app.MapReverseProxy(static pipeline =>
            {
                pipeline.Use(TraceCheck.CheckAsync);
                pipeline.Use(UnreservedPathCheck.CheckAsync);
                pipeline.UseMiddleware<AccountMiddleware>(); // before ProxyCacheMiddleware, which needs the account's dialect
                pipeline.UseMiddleware<ForwarderErrorMiddleware>();
                pipeline.UseMiddleware<ProxyCacheMiddleware>();
                pipeline.UseMiddleware<IdempotencyMiddleware>();
                pipeline.Use(DrainingCheck.CheckAsync);
                pipeline.UseMiddleware<CallbackUrlMiddleware>(); // after IdempotencyMiddleware, which must compare the caller's body
                pipeline.UseMiddleware<UserIdMiddleware>();
                pipeline.UseMiddleware<RequestBodyMiddleware>();
                pipeline.UseMiddleware<JobMiddleware>();
                pipeline.UseMiddleware<CreateDistributionMiddleware>();
                pipeline.UseMiddleware<SlotMiddleware>(); // inside the distribution: each of these accounts has its own slots
                pipeline.Use(CompletedUpstreamResponse.AcceptAsync);
            })
            .ConfigureEndpoints(static (endpoint, route) =>
            {
                OwnedRoute.AddMetadata(endpoint, route);
                endpoint.WithMetadata(RoutePermission.RequiredBy(route));
            });
    }
}
