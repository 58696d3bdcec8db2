using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Bench;

/// <summary>Servers in ASP.NET Core to compare with. Each runs in its own process: see <c>bench/candidates/commands</c>.</summary>
internal static class Baselines
{
    public static WebApplication Build(string name, string[] args)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{args[0]}");
        return name switch
        {
            "tuned" => TunedKestrel(builder, File.ReadAllBytes(args[1])),
            "yarp" => Yarp(builder, args[1]),
            "hand-written" => HandWrittenGateway.Build(builder, args[1], args.ElementAtOrDefault(2)),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
    }

    public static Task WriteAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, 0, body.Length);
    }

    /// <summary>One fixed response. No routing, and the whole request runs on the socket's thread, so no call may block.</summary>
    private static WebApplication TunedKestrel(WebApplicationBuilder builder, byte[] body)
    {
        builder.WebHost.UseSockets(sockets => (sockets.IOQueueCount, sockets.UnsafePreferInlineScheduling) = (1, true));
        var app = builder.Build();
        app.Run(context => WriteAsync(context, body));
        return app;
    }

    /// <summary>YARP with one route.</summary>
    private static WebApplication Yarp(WebApplicationBuilder builder, string upstream)
    {
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "upstream", Match = new RouteMatch { Path = "/luma/{**rest}" } }],
            [new ClusterConfig { ClusterId = "upstream", Destinations = new Dictionary<string, DestinationConfig> { ["upstream"] = new() { Address = upstream } } }]);
        var app = builder.Build();
        app.MapReverseProxy();
        return app;
    }
}
