using LumaGateway.Redis;

namespace LumaGateway.Proxy.Idempotency;

/// <summary>Registers the ledger of idempotency keys: in Redis if one is configured, else in memory.</summary>
internal static class IdempotencyServices
{
    public static IServiceCollection AddIdempotency(this IServiceCollection services)
    {
        services.AddSingleton<IdempotencyLedger>();
        services.AddSingleton<IIdempotencyStore>(provider => provider.GetRequiredService<LedgerConnection>() is { IsConfigured: true } ledger
            ? new RedisIdempotencyStore(ledger.Redis, provider.GetRequiredService<RedisSigner>(), provider.GetRequiredService<TimeProvider>())
            : ActivatorUtilities.CreateInstance<MemoryIdempotencyStore>(provider));

        return services;
    }
}
