using LumaGateway.Redis;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Generations;

/// <summary>Registers the slim read, and joins what the layers below must not know of each other.</summary>
internal static class GenerationServices
{
    /// <summary>Goes up whenever the slim DTO, or how it is written, changes: gateways of two versions may share a Redis.</summary>
    private const string Schema = "2";

    public static IServiceCollection AddGenerations(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<FreshnessOptions, FreshnessOptionsValidator>().BindConfiguration(FreshnessOptions.Section);
        services.AddSingleton<IValidateOptions<FreshnessOptions>, FreshnessOptionsRules>();
        services.TryAddSingleton(new PublishedLinks(PublicUrl: null));
        services.AddOptionsWithValidateOnStart<BatchOptions, BatchOptionsValidator>().BindConfiguration(BatchOptions.Section);
        services.AddSingleton<GenerationReader>();
        services.AddHostedService<RetryAfterBroadcast>();
        services.AddSingleton(provider =>
        {
            var luma = provider.GetRequiredService<IOptions<LumaOptions>>().Value;
            return new RedisKeyspace(luma.AccountName, luma.Dialect, Schema + provider.GetRequiredService<PublishedLinks>().Scope);
        });

        services.AddSingleton(provider => GenerationFreshness.LimitsOf(provider.GetRequiredService<IOptions<FreshnessOptions>>().Value));

        return services;
    }

    /// <summary>To be called after routing, which says what is a read.</summary>
    public static IApplicationBuilder UseHits(this IApplicationBuilder app) => app.UseMiddleware<HitMiddleware>();
}
