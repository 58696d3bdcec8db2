using System.Diagnostics;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams.Dialects;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>Registers the upstream: its settings, dialects, accounts and connections.</summary>
internal static class UpstreamServices
{
    public static IServiceCollection AddUpstreams(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<LumaOptions, LumaOptionsValidator>().BindConfiguration(LumaOptions.Section);
        services.AddSingleton<IValidateOptions<LumaOptions>, LumaOptionsRules>();

        services.AddSingleton(KnownDialects.Create());

        services.AddOptionsWithValidateOnStart<UpstreamLimitsOptions, UpstreamLimitsOptionsValidator>().BindConfiguration(UpstreamLimitsOptions.Section);
        services.AddSingleton(provider => new UpstreamAccounts(
            provider.GetRequiredService<IOptions<LumaOptions>>().Value.AllAccounts.Select(options => ActivatorUtilities.CreateInstance<UpstreamAccount>(provider, options))));
        services.AddSingleton<AccountDirectory>();
        services.AddSingleton<AccountSearch>();
        services.AddSingleton<AccountChooser>();
        services.AddHostedService<TokenFileWatcher>();
        services.AddGatewayMetrics<UpstreamGauges>();

        // Does not read the callers' baggage, so no request to the upstream can contain it.
        services.AddSingleton<DistributedContextPropagator, TraceParentPropagator>();

        services.AddHttpClient(UpstreamAccount.HttpClientName)
            .RemoveAllLoggers() // they log the upstream's address with every request
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // SocketsHttpHandler renews its connections
            .UseSocketsHttpHandler((handler, provider) => UpstreamHandler.Configure(
                handler, provider.GetRequiredService<IOptions<LumaOptions>>().Value, provider.ExportsSpans()));

        return services;
    }
}
