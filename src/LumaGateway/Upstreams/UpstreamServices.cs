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

        services.AddSingleton(provider => KnownDialects.Create(RootOf(provider)));
        services.AddSingleton<UpstreamDialect>();

        services.AddSingleton<UpstreamTokenSource>();
        services.AddHostedService(provider => provider.GetRequiredService<UpstreamTokenSource>());
        services.AddSingleton<UpstreamState>();
        services.AddGatewayMetrics<UpstreamMetrics>();
        services.AddGatewayMetrics<DriftMetrics>();
        services.AddSingleton<DriftDetector>();
        services.AddSingleton<UpstreamAccountState>();
        services.AddSingleton<RetryAfterHold>();
        services.AddSingleton<UpstreamPipeline>();
        services.AddOptionsWithValidateOnStart<UpstreamLimitsOptions, UpstreamLimitsOptionsValidator>().BindConfiguration(UpstreamLimitsOptions.Section);
        services.AddSingleton<UpstreamConcurrencyLimiter>();
        services.AddTransient<CredentialHandler>();
        services.AddTransient<ConcurrencyHandler>();
        services.AddTransient<NoImplicitRetryHandler>();

        // Does not read the callers' baggage, so no request to the upstream can contain it.
        services.AddSingleton<DistributedContextPropagator, TraceParentPropagator>();

        services.AddSingleton<UpstreamClient>();
        services.AddHttpClient<UpstreamTransport>(http =>
            {
                http.Timeout = Timeout.InfiniteTimeSpan; // UpstreamPipeline limits the time
                http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LumaGateway", Instrumentation.Version));
            })
            .AddHttpMessageHandler<CredentialHandler>()
            .RemoveAllLoggers() // they log the upstream's address with every request
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // SocketsHttpHandler renews its connections
            .UseSocketsHttpHandler((handler, provider) => UpstreamHandler.Configure(
                handler, provider.GetRequiredService<IOptions<LumaOptions>>().Value, provider.ExportsSpans()));

        services.AddHttpClient<UpstreamSender>((provider, http) =>
            {
                http.Timeout = Timeout.InfiniteTimeSpan; // the caller limits the time
                http.MaxResponseContentBufferSize = provider.GetRequiredService<IOptions<LumaOptions>>().Value.MaxBodyBytes;
                http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("LumaGateway", Instrumentation.Version));
            })
            .AddHttpMessageHandler<ConcurrencyHandler>()
            .AddHttpMessageHandler<CredentialHandler>()
            .AddHttpMessageHandler<NoImplicitRetryHandler>()
            .RemoveAllLoggers()
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .UseSocketsHttpHandler((handler, provider) => UpstreamHandler.Configure(
                handler, provider.GetRequiredService<IOptions<LumaOptions>>().Value, provider.ExportsSpans()));

        return services;
    }

    /// <summary>Reads the options with the first response: at start-up their validation needs the dialects.</summary>
    private static Lazy<Uri> RootOf(IServiceProvider provider) => new(() => provider.GetRequiredService<IOptions<LumaOptions>>().Value.Root);
}
