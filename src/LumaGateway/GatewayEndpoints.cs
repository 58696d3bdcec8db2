using LumaGateway.Assets;
using LumaGateway.Callbacks;
using LumaGateway.Creating;
using LumaGateway.Generations;
using LumaGateway.Hosting;
using LumaGateway.LongPolling;
using LumaGateway.OpenApi;
using LumaGateway.Proxy;
using LumaGateway.Status;

namespace LumaGateway;

/// <summary>Maps the endpoints of every folder.</summary>
internal static class GatewayEndpoints
{
    public static void MapGateway(this WebApplication app)
    {
        app.MapGenerations();
        app.MapCreates();
        app.MapPurge();
        app.MapTickets();
        app.MapAssets();
        app.MapGenerationBatch();
        app.MapJobs();
        app.MapLongPolling();
        app.MapCallbacks();
        app.MapProxy();
        app.MapGatewayHealth();
        app.MapGatewayDocument();
        app.MapIndex();
        app.MapMetrics();
        app.MapStatus();
    }
}
