using LumaGateway.Telemetry;

namespace LumaGateway.Sharing;

/// <summary>Registers what replicas share: a Redis where <c>ConnectionStrings:Redis</c> names one, and nothing where it does not.</summary>
internal static class SharingServices
{
    public static IServiceCollection AddSharing(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<RedisOptions, RedisOptionsRules>().BindConfiguration(RedisOptions.Section);
        services.AddOptionsWithValidateOnStart<RedisGuardOptions, RedisGuardOptionsValidator>().BindConfiguration(RedisGuardOptions.Section);
        services.AddOptionsWithValidateOnStart<SigningOptions, SigningOptionsRules>().BindConfiguration(SigningOptions.Section);

        services.AddSingleton<RedisConnection>();
        services.AddSeries<RedisMetrics>();
        services.AddSingleton<RedisSigner>();
        services.AddHostedService(provider => provider.GetRequiredService<RedisSigner>());
        services.AddSingleton<RedisGuard>();
        services.AddSingleton<FleetLocks>();
        services.AddSingleton<FleetLease>();
        services.AddSingleton<FleetChannel>();
        services.AddHostedService(provider => provider.GetRequiredService<FleetChannel>());
        services.AddSingleton<LedgerConnection>();
        services.AddHostedService<EvictionWatch>();
        services.AddSingleton<IRecordStore>(provider => provider.GetRequiredService<LedgerConnection>() is { IsConfigured: true } ledger
            ? new RedisRecordStore(ledger.Redis, provider.GetRequiredService<RedisSigner>(), provider.GetRequiredService<TimeProvider>())
            : ActivatorUtilities.CreateInstance<MemoryRecordStore>(provider));

        return services;
    }
}
