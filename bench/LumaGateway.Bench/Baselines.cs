using StackExchange.Redis;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Bench;

/// <summary>The least ASP.NET Core code that sends the same response. Each runs in its own process: see <c>bench/candidates/commands</c>.</summary>
internal static class Baselines
{
    public static WebApplication Build(string name, string[] args)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{args[0]}");
        return name switch
        {
            "kestrel" => Kestrel(builder, File.ReadAllBytes(args[1])),
            "tuned" => TunedKestrel(builder, File.ReadAllBytes(args[1])),
            "raw-get" => RawGet(builder, File.ReadAllBytes(args[1]), args[2]),
            "forwarder" => Forwarder(builder, args[1]),
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

    private static WebApplication Kestrel(WebApplicationBuilder builder, byte[] body)
    {
        var app = builder.Build();
        app.MapGet("/generations/{id}", context => WriteAsync(context, body));
        return app;
    }

    /// <summary>No routing, and the whole request runs on the socket's thread, so no call may block.</summary>
    private static WebApplication TunedKestrel(WebApplicationBuilder builder, byte[] body)
    {
        builder.WebHost.UseSockets(sockets => (sockets.IOQueueCount, sockets.UnsafePreferInlineScheduling) = (1, true));
        var app = builder.Build();
        app.Run(context => WriteAsync(context, body));
        return app;
    }

    /// <summary>One HttpClient call for each request.</summary>
    private static WebApplication Forwarder(WebApplicationBuilder builder, string upstream)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
        var app = builder.Build();
        app.MapGet("/luma/generations/{id}", async context =>
        {
            using var response = await http.GetAsync(new Uri(new Uri(upstream), context.Request.Path), HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
            context.Response.StatusCode = (int)response.StatusCode;
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = response.Content.Headers.ContentLength;
            await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
        });
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

    /// <summary>One GET of Redis for each request; a SET if there is no value yet, which fills Redis before the contest.</summary>
    private static WebApplication RawGet(WebApplicationBuilder builder, byte[] body, string redis)
    {
        var database = ConnectionMultiplexer.Connect(redis).GetDatabase();
        var app = builder.Build();
        app.MapGet("/generations/{id}", async context =>
        {
            var key = (string)context.Request.RouteValues["id"]!;
            byte[]? value = await database.StringGetAsync(key);
            if (value is null)
            {
                await database.StringSetAsync(key, body);
            }

            await WriteAsync(context, value ?? body);
        });
        return app;
    }
}
