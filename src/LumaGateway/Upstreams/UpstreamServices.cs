using System.Diagnostics;
using System.Net.Http.Headers;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams.Dialects;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>Registers the upstream: its settings, token, dialects, pipeline and client.</summary>
internal static class UpstreamServices
{
    public static IServiceCollection AddUpstreams(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<LumaOptions, LumaOptionsValidator>().BindConfiguration(LumaOptions.Section);
        services.AddSingleton<IValidateOptions<LumaOptions>, LumaOptionsRules>();

        // A new dialect is one new file and one line here.
        services.AddSingleton<IUpstreamDialect, RelayDialect>();
        services.AddSingleton<IUpstreamDialect, DreamMachineDialect>();
        services.AddSingleton<IUpstreamDialect, AgentsDialect>();
        services.AddSingleton<IUpstreamDialect, NewApiDialect>();
        services.AddSingleton<IUpstreamDialect, PiApiDialect>();
        services.AddSingleton<UpstreamDialect>();

        services.AddSingleton<TokenSource>();
        services.AddHostedService(provider => provider.GetRequiredService<TokenSource>());
        services.AddSeries<UpstreamMetrics>();
        services.AddSingleton<UpstreamAccount>();
        services.AddSingleton<RetryAfterHold>();
        services.AddSingleton<UpstreamPipeline>();
        services.AddOptionsWithValidateOnStart<UpstreamLimitsOptions, UpstreamLimitsOptionsValidator>().BindConfiguration(UpstreamLimitsOptions.Section);
        services.AddSingleton<UpstreamConcurrencyLimiter>();
        services.AddTransient<CredentialHandler>();
        services.AddTransient<ConcurrencyHandler>();

        // Callers' baggage is not even taken in: what is not there gets out nowhere.
        services.AddSingleton<DistributedContextPropagator, TraceParentPropagator>();

        services.AddHttpClient<UpstreamClient>(http =>
            {
                http.Timeout = Timeout.InfiniteTimeSpan; // the pipeline keeps the time
                http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LumaGateway", Instrumentation.Version));
            })
            .AddHttpMessageHandler<CredentialHandler>()
            .RemoveAllLoggers() // they would log the upstream's address with every call
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // the handler renews its connections itself
            .UseSocketsHttpHandler((handler, provider) => UpstreamHandler.Configure(
                handler, provider.GetRequiredService<IOptions<LumaOptions>>().Value));

        return services;
    }
}
