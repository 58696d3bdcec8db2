using LumaGateway.Polling;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.LongPolling;

/// <summary>Registers long polls, event streams and the polling of the upstream.</summary>
internal static class LongPollingServices
{
    public static IServiceCollection AddLongPolling(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<WaitingOptions, WaitingOptionsValidator>().BindConfiguration(WaitingOptions.Section);
        services.AddSingleton<IValidateOptions<WaitingOptions>, WaitingOptionsRules>();

        services.AddGatewayMetrics<WaitingMetrics>();
        services.AddSingleton<WaiterRegistry>();
        services.AddHostedService(provider => provider.GetRequiredService<WaiterRegistry>());
        services.AddSingleton<PollSchedule>();
        services.AddSingleton<PollRateLimiter>();
        services.AddSingleton<RecentPurges>();
        services.AddSingleton<PollTargets>();
        services.AddSingleton<ListSweeps>();
        services.AddSingleton<SweptEntries>();
        services.AddSingleton<SinglePoll>();
        services.AddSingleton<ChangeMessages>();
        services.AddSingleton<ChangeBroadcast>();
        services.AddHostedService(provider => provider.GetRequiredService<ChangeBroadcast>());
        services.AddSingleton<UpstreamPoller>();
        services.AddHostedService(provider => provider.GetRequiredService<UpstreamPoller>());
        services.AddHostedService<SlotPoller>();
        services.AddSingleton<FirstSnapshotReader>();
        services.AddSingleton<LongPollReader>();
        services.AddSingleton<EventStream>();

        return services;
    }
}
