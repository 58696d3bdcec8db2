using LumaGateway.Telemetry;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>Registers authentication, permissions and limits.</summary>
internal static class AccessServices
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<AccessOptions, AccessOptionsRules>().BindConfiguration(AccessOptions.Section);
        services.AddOptionsWithValidateOnStart<LimitsOptions, LimitsOptionsValidator>().BindConfiguration(LimitsOptions.Section);
        services.AddOptions<AccessLogOptions>().BindConfiguration(AccessLogOptions.Section);
        services.AddOptionsWithValidateOnStart<OriginOptions, OriginOptionsValidator>().BindConfiguration(OriginOptions.Section);
        services.AddSingleton<IValidateOptions<OriginOptions>, OriginOptionsRules>();
        services.AddCors();
        services.AddSingleton<Tickets>();
        services.AddSingleton<IRequestSecret, HiddenTicket>();
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, JwtSetup>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, JwtBearerPostConfigureOptions>();
        services.AddSingleton<ClientLimiters>();
        services.AddSingleton<ClientDirectory>();
        services.AddSingleton<JwtClients>();
        services.AddSingleton<ClientAuthenticator>();
        services.AddGatewayMetrics<AccessMetrics>();
        services.AddSingleton<Audit>();
        services.AddSingleton<RecentOwners>();
        services.AddSingleton<Ownership>();

        return services;
    }

    /// <summary>Adds the access log, unless <c>Logging:AccessLog</c> is <c>None</c>.</summary>
    public static IApplicationBuilder UseAccessLog(this IApplicationBuilder app) =>
        app.ApplicationServices.GetRequiredService<IOptions<AccessLogOptions>>().Value.AccessLog is AccessLogMode.None ? app : app.UseMiddleware<AccessLogMiddleware>();

    /// <summary>Adds a trace to the request, and the trace id, the request's id and the client's name to its log messages.</summary>
    public static IApplicationBuilder UseRequestLogScope(this IApplicationBuilder app)
    {
        var logger = app.ApplicationServices.GetRequiredService<ILogger<RequestLogScope>>();
        return app.Use(next => async context =>
        {
            using var activity = TraceContext.StartIfNone(context);
            using var scope = logger.BeginScope(new RequestLogScope(context.TraceIdentifier, Client.NameOf(context)));
            await next(context);
        });
    }

    public static IApplicationBuilder UseAccess(this IApplicationBuilder app) => app.UseMiddleware<AccessMiddleware>();

    public static IApplicationBuilder UseAccessOutcome(this IApplicationBuilder app) => app.UseMiddleware<AccessOutcomeMiddleware>();

    /// <summary>Adds the check of ownership, unless <c>Access:Ownership</c> is <c>Off</c>.</summary>
    public static IApplicationBuilder UseOwnership(this IApplicationBuilder app) =>
        app.ApplicationServices.GetRequiredService<Ownership>().IsActive ? app.UseMiddleware<OwnershipMiddleware>() : app;

    /// <summary>Accepts a ticket for the generation in the route, instead of a key.</summary>
    public static TBuilder AcceptTickets<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new AcceptsTicket());

    /// <summary>Requires a permission for every method of the endpoint.</summary>
    public static TBuilder RequirePermission<TBuilder>(this TBuilder builder, Permissions permission)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredPermission(permission));
}
