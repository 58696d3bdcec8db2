using LumaGateway.Redis;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Caching.StackExchangeRedis;

namespace LumaGateway.Caching;

/// <summary>Registers the cache: the memory tier, and the Redis tier if Redis is configured.</summary>
internal static class CacheServices
{
    public static IServiceCollection AddResponseCache(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<CacheOptions, CacheOptionsValidator>().BindConfiguration(CacheOptions.Section);

        services.AddStackExchangeRedisCache(_ => { });
        services.AddOptions<RedisCacheOptions>().Configure<RedisConnection>(
            (options, connection) => options.ConnectionMultiplexerFactory = connection.GetAsync);

        services.AddGatewayMetrics<CacheMetrics>();
        services.AddSingleton<MemoryTier>();
        services.AddSingleton<EntryCodec>();
        services.AddSingleton<RedisEntries>();
        services.AddSingleton<RedisTier>();
        services.AddSingleton<CacheLookup>();
        services.AddSingleton<CacheFill>();
        services.AddSingleton(provider =>
        {
            var cache = ActivatorUtilities.CreateInstance<ResponseCache>(provider);
            cache.SubscribeToPurges();
            return cache;
        });
        services.AddHostedService<RedisWarmUp>();

        return services;
    }
}
