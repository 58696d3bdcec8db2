extern alias client;

using client::LumaGateway.Client;
using client::Microsoft.Extensions.DependencyInjection;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The .NET client in a container of its own, on a handler in this process.</summary>
internal sealed class TestedClient : IDisposable
{
    public TestedClient(HttpMessageHandler handler, TimeProvider clock, Action<LumaGatewayClientOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(clock);
        services.AddLumaGatewayClient(options =>
        {
            options.BaseAddress = new Uri("http://gateway.test");
            options.Key = Gateway.Key;
            configure?.Invoke(options);
        }).ConfigurePrimaryHttpMessageHandler(() => handler);
        services.AddHealthChecks().AddLumaGateway();
        Services = services.BuildServiceProvider();
    }

    public static TestedClient Of(Gateway gateway, Action<LumaGatewayClientOptions>? configure = null) => new(gateway.Server.CreateHandler(), gateway.Clock, configure);

    public ServiceProvider Services { get; }

    public LumaGatewayClient Client => Services.GetRequiredService<LumaGatewayClient>();

    public void Dispose() => Services.Dispose();
}
