using LumaGateway.Features.Generations;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;

namespace LumaGateway.Features.Waiting;

/// <summary>Registers waiting: who waits, what for, and who asks the upstream for all of them.</summary>
internal static class WaitingServices
{
    public static IServiceCollection AddWaiting(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<WaitingOptions, WaitingOptionsValidator>().BindConfiguration(WaitingOptions.Section);
        services.AddSingleton<IValidateOptions<WaitingOptions>, WaitingOptionsRules>();

        services.AddSeries<WaitingMetrics>();
        services.AddSingleton<WaitingRoom>();
        services.AddHostedService(provider => provider.GetRequiredService<WaitingRoom>());
        services.AddSingleton<PollSchedule>();
        services.AddSingleton<PollBudget>();
        services.AddSingleton<WatchTable>();
        services.AddSingleton<ListSweep>();
        services.AddSingleton<WatchChannel>();
        services.AddSingleton<FleetWatch>();
        services.AddSingleton<Watcher>();
        services.AddHostedService(provider => provider.GetRequiredService<Watcher>());
        services.AddSingleton<FirstNews>();
        services.AddSingleton<WaitingReader>();
        services.AddSingleton<PatientRead>(provider => provider.GetRequiredService<WaitingReader>().TryRead);
        services.AddSingleton<EventStream>();

        return services;
    }
}
