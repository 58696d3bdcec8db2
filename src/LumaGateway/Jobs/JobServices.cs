using LumaGateway.Redis;
using LumaGateway.Telemetry;

namespace LumaGateway.Jobs;

/// <summary>Registers the ledger of jobs: in Redis if one is configured, else in memory.</summary>
internal static class JobServices
{
    public static IServiceCollection AddJobs(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<JobsOptions, JobsOptionsValidator>().BindConfiguration(JobsOptions.Section);
        services.AddSingleton<IJobLedger>(static provider => provider.GetRequiredService<LedgerConnection>().IsConfigured
            ? ActivatorUtilities.CreateInstance<RedisJobLedger>(provider)
            : ActivatorUtilities.CreateInstance<MemoryJobLedger>(provider));
        services.AddSingleton<ISlotStore>(static provider => provider.GetRequiredService<LedgerConnection>().IsConfigured
            ? ActivatorUtilities.CreateInstance<RedisSlotStore>(provider)
            : ActivatorUtilities.CreateInstance<MemorySlotStore>(provider));
        services.AddSingleton<JobSlots>();
        services.AddGatewayMetrics<JobMetrics>();
        services.AddSingleton<JobStateUpdater>();
        services.AddHostedService(provider => provider.GetRequiredService<JobStateUpdater>());

        return services;
    }
}
