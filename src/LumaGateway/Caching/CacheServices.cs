using LumaGateway.Telemetry;
using Microsoft.Extensions.Caching.StackExchangeRedis;

namespace LumaGateway.Caching;

/// <summary>Registers the cache: memory always, Redis where <c>ConnectionStrings:Redis</c> names one.</summary>
internal static class CacheServices
{
    public static IServiceCollection AddResponseCache(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<CacheOptions, CacheOptionsValidator>().BindConfiguration(CacheOptions.Section);
        services.AddOptionsWithValidateOnStart<RedisOptions, RedisOptionsRules>().BindConfiguration(RedisOptions.Section);

        services.AddSingleton<RedisConnection>();
        services.AddStackExchangeRedisCache(_ => { });
        services.AddOptions<RedisCacheOptions>().Configure<RedisConnection>(
            (options, connection) => options.ConnectionMultiplexerFactory = connection.GetAsync);

        services.AddSingleton<IRecordStore>(provider => provider.GetRequiredService<RedisConnection>().IsConfigured
            ? ActivatorUtilities.CreateInstance<RedisRecordStore>(provider)
            : ActivatorUtilities.CreateInstance<MemoryRecordStore>(provider));
        services.AddSeries<CacheMetrics>();
        services.AddSingleton<RedisGuard>();
        services.AddSingleton<MemoryLevel>();
        services.AddSingleton<SharedLevel>();
        services.AddSingleton<FlightPlan>();
        services.AddSingleton<FleetLease>();
        services.AddSingleton<FleetChannel>();
        services.AddHostedService(provider => provider.GetRequiredService<FleetChannel>());
        services.AddHostedService<RedisWarmUp>();
        services.AddSingleton(provider =>
        {
            var cache = ActivatorUtilities.CreateInstance<ResponseCache>(provider);
            provider.GetRequiredService<FleetChannel>().Purged += cache.ForgetHere;
            return cache;
        });

        return services;
    }
}
