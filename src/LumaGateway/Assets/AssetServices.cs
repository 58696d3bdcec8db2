using System.Net;
using LumaGateway.Generations;
using LumaGateway.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>Registers the download of generations' files.</summary>
internal static class AssetServices
{
    public static IServiceCollection AddAssets(this IServiceCollection services)
    {
        services.AddOptionsWithValidateOnStart<AssetOptions, AssetOptionsValidator>().BindConfiguration(AssetOptions.Section);
        services.AddSingleton<IValidateOptions<AssetOptions>, AssetOptionsRules>();
        services.Replace(ServiceDescriptor.Singleton(provider =>
        {
            var options = provider.GetRequiredService<IOptions<AssetOptions>>().Value;
            return new PublishedLinks(options.RewriteUrls ? options.PublicUrl.TrimEnd('/') : null);
        }));
        services.AddHttpForwarder();
        services.AddSingleton<HostResolver>(Dns.GetHostAddressesAsync);
        services.AddSingleton<AssetNetworks>();
        services.AddSingleton<AssetLinkRules>();
        services.AddSingleton<AssetConnector>();
        services.AddSingleton<AssetClient>();
        services.AddGatewayMetrics<AssetMetrics>();
        services.AddSingleton<AssetSender>();

        return services;
    }
}
