using LumaGateway.Redis;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>Registers the store of idempotency records: in Redis if one is configured, else in memory.</summary>
internal static class IdempotencyServices
{
    public static IServiceCollection AddIdempotency(this IServiceCollection services)
    {
        services.AddSingleton<IdempotencyLedger>();
        services.AddSingleton<BodySpooler>();
        services.AddSingleton<IIdempotencyStore>(static provider => provider.GetRequiredService<LedgerConnection>().IsConfigured
            ? ActivatorUtilities.CreateInstance<RedisIdempotencyStore>(provider)
            : ActivatorUtilities.CreateInstance<MemoryIdempotencyStore>(provider));

        return services;
    }
}
