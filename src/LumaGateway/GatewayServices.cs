using LumaGateway.Access;
using LumaGateway.Assets;
using LumaGateway.Caching;
using LumaGateway.Callbacks;
using LumaGateway.Configuration;
using LumaGateway.Creating;
using LumaGateway.Generations;
using LumaGateway.Hosting;
using LumaGateway.Jobs;
using LumaGateway.LongPolling;
using LumaGateway.OpenApi;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Redis;
using LumaGateway.Status;
using LumaGateway.Telemetry;
using LumaGateway.Time;
using LumaGateway.Upstreams;

namespace LumaGateway;

/// <summary>Registers the services of every folder.</summary>
internal static class GatewayServices
{
    public static void AddGateway(this IServiceCollection services, IConfiguration configuration)
    {
        EgressProxy.UseByDefault(); // before any HttpClient exists

        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<MonotonicClock>();

        services.AddSettingsCheck(); // first: hosted services start in this order, and the others use the validated settings
        services.AddGatewayTelemetry(configuration);
        services.AddGatewayServer();
        services.AddProblems();
        services.AddAccess();
        services.AddGenerations();
        services.AddAssets();
        services.AddLongPolling();
        services.AddCallbacks();
        services.AddResponseCache();
        services.AddUpstreams();
        services.AddRedis();
        services.AddJobs();
        services.AddProxy(configuration.GetSection("ReverseProxy"));
        services.AddCreating();
        services.AddGatewayHealth();
        services.AddStatus();
        services.AddGatewayDocument();
        services.AddCheck();
    }
}
