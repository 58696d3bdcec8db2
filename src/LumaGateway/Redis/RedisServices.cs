using LumaGateway.Telemetry;

namespace LumaGateway.Redis;

/// <summary>Registers Redis: connection, resilience, locks and messages. Unused if <c>ConnectionStrings:Redis</c> is empty.</summary>
internal static class RedisServices
{
    public static IServiceCollection AddRedis(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<RedisOptions, RedisOptionsRules>().BindConfiguration(RedisOptions.Section);
        services.AddOptionsWithValidateOnStart<RedisResilienceOptions, RedisResilienceOptionsValidator>().BindConfiguration(RedisResilienceOptions.Section);
        services.AddOptionsWithValidateOnStart<SigningOptions, SigningOptionsRules>().BindConfiguration(SigningOptions.Section);

        services.AddSingleton<RedisConnection>();
        services.AddSingleton<RedisState>();
        services.AddGatewayMetrics<RedisMetrics>();
        services.AddSingleton<RedisSigner>();
        services.AddHostedService(provider => provider.GetRequiredService<RedisSigner>());
        services.AddSingleton<RedisResilience>();
        services.AddSingleton<IntervalLock>();
        services.AddSingleton<ReplicaBus>();
        services.AddHostedService(provider => provider.GetRequiredService<ReplicaBus>());
        services.AddSingleton<LedgerConnection>();
        services.AddGatewayMetrics<LedgerMetrics>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<LedgerDatabase>(provider, provider.GetRequiredService<LedgerConnection>().Redis));
        services.AddHostedService<EvictionPolicyCheck>();
        services.AddHostedService<RedisShutdown>();

        return services;
    }
}
