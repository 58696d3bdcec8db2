using LumaGateway.Access;
using LumaGateway.Telemetry;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Features.Passthrough;

/// <summary>Registers and maps the upstream's own API under <c>/luma</c>: YARP carries it unread, with the token put in.</summary>
internal static class PassthroughServices
{
    public static IServiceCollection AddPassthrough(this IServiceCollection services, IConfigurationSection routes)
    {
        services.AddOptionsWithValidateOnStart<PassthroughOptions, PassthroughOptionsValidator>().BindConfiguration(PassthroughOptions.Section);
        services.AddOptionsWithValidateOnStart<ProxyRoutes, ProxyRoutesRules>().Configure(proxy => proxy.Settings = routes);
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<GenerationIdConstraint>(GenerationIdConstraint.Name));
        services.AddSeries<PassthroughMetrics>();
        services.AddSingleton<CreateLedger>();
        services.AddSingleton<IForwarderHttpClientFactory, UpstreamForwarderClients>();
        services.AddReverseProxy()
            .LoadFromConfig(routes)
            .AddConfigFilter<UpstreamCluster>()
            .AddTransforms<UpstreamTransforms>();

        return services;
    }

    public static void MapPassthrough(this IEndpointRouteBuilder app) =>
        app.MapReverseProxy(static pipeline =>
            {
                pipeline.Use(PlainPath.CheckAsync);
                pipeline.Use(NoUpgrade.PassAsync);
                pipeline.UseMiddleware<ForwarderProblems>();
                pipeline.UseMiddleware<PassingAnswers>();
                pipeline.UseMiddleware<IdempotentCreates>();
                pipeline.UseMiddleware<CallbackUrls>(); // innermost: a repeated create must compare as its caller sent it
            })
            .ConfigureEndpoints(static (endpoint, route) =>
            {
                var named = RouteRight.Of(route);
                endpoint.RequireRight(Rights.Raw, forPost: named ?? Rights.Create, forDelete: named ?? Rights.Delete);
            });
}
