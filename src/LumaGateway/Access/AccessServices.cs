using LumaGateway.Telemetry;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace LumaGateway.Access;

/// <summary>Registers who may come in.</summary>
internal static class AccessServices
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<AccessOptions, AccessOptionsRules>().BindConfiguration(AccessOptions.Section);
        services.AddOptionsWithValidateOnStart<LimitsOptions, LimitsOptionsValidator>().BindConfiguration(LimitsOptions.Section);
        services.AddSingleton<IConfigureOptions<JwtBearerOptions>, JwtSetup>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, JwtBearerPostConfigureOptions>();
        services.AddSingleton<ClientLimiters>();
        services.AddSingleton<ClientDirectory>();
        services.AddSingleton<JwtClients>();
        services.AddSingleton<ClientAuthenticator>();
        services.AddSeries<AccessMetrics>();
        services.AddSingleton<Audit>();

        return services;
    }

    public static IApplicationBuilder UseAccess(this IApplicationBuilder app) => app.UseMiddleware<AccessMiddleware>();

    /// <summary>Asks for a right of whoever calls this endpoint.</summary>
    public static TBuilder RequireRight<TBuilder>(this TBuilder builder, Rights right, Rights forPost = Rights.None, Rights forDelete = Rights.None)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredPermission(right, forPost, forDelete));
}
