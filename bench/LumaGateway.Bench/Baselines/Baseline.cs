using StackExchange.Redis;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Bench.Baselines;

/// <summary>The least that one would write on ASP.NET Core for the same answer: what the gateway's own work is measured against.</summary>
internal static class Baseline
{
    public const string Kestrel = "kestrel";
    public const string Tuned = "tuned";
    public const string Forwarder = "forwarder";
    public const string Yarp = "yarp";
    public const string Redis = "redis";

    /// <summary>Runs one until the process is ended. <paramref name="args"/>: its port, then what it answers with or whom it asks.</summary>
    public static async Task ServeAsync(string baseline, string[] args)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{args[0]}");
        var app = baseline switch
        {
            Kestrel => Answering(builder, args[1]),
            Tuned => AnsweringAtOnce(builder, args[1]),
            Forwarder => Forwarding(builder, new Uri(args[1])),
            Yarp => Proxying(builder, args[1]),
            Redis => await GettingAsync(builder, args[1]),
            _ => throw new ArgumentOutOfRangeException(nameof(baseline)),
        };
        await app.RunAsync();
    }

    /// <summary>A minimal API as it comes.</summary>
    private static WebApplication Answering(WebApplicationBuilder builder, string file)
    {
        var body = File.ReadAllBytes(file);
        var app = builder.Build();
        app.MapGet("/generations/{id}", context => WriteAsync(context, body));
        return app;
    }

    /// <summary>The same without routing, every step on the thread that has the socket's event. What it calls may never block.</summary>
    private static WebApplication AnsweringAtOnce(WebApplicationBuilder builder, string file)
    {
        var body = File.ReadAllBytes(file);
        builder.WebHost.UseSockets(sockets => (sockets.IOQueueCount, sockets.UnsafePreferInlineScheduling) = (1, true));
        var app = builder.Build();
        app.Run(context => WriteAsync(context, body));
        return app;
    }

    /// <summary>One <see cref="HttpClient"/> call a request.</summary>
    private static WebApplication Forwarding(WebApplicationBuilder builder, Uri origin)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
        var app = builder.Build();
        app.MapGet("/luma/generations/{id}", async context =>
        {
            using var answer = await http.GetAsync(new Uri(origin, context.Request.Path), HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = answer.Content.Headers.ContentLength;
            await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
        });
        return app;
    }

    /// <summary>YARP with one route and nothing else.</summary>
    private static WebApplication Proxying(WebApplicationBuilder builder, string origin)
    {
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "origin", Match = new RouteMatch { Path = "/luma/{**rest}" } }],
            [new ClusterConfig { ClusterId = "origin", Destinations = new Dictionary<string, DestinationConfig> { ["origin"] = new() { Address = origin } } }]);
        var app = builder.Build();
        app.MapReverseProxy();
        return app;
    }

    /// <summary>One raw GET a request.</summary>
    private static async Task<WebApplication> GettingAsync(WebApplicationBuilder builder, string endpoint)
    {
        var redis = (await ConnectionMultiplexer.ConnectAsync(endpoint)).GetDatabase();
        var app = builder.Build();
        app.MapGet("/generations/{id}", async context =>
        {
            byte[] body = (await redis.StringGetAsync((string)context.Request.RouteValues["id"]!))!;
            await WriteAsync(context, body);
        });
        return app;
    }

    private static Task WriteAsync(HttpContext context, byte[] body)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, 0, body.Length);
    }
}
