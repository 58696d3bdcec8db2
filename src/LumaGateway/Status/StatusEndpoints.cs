using LumaGateway.Hosting;
using Microsoft.Extensions.Options;

namespace LumaGateway.Status;

/// <summary>Maps <c>/status</c> on the management port: an HTML page, or its data for a client that accepts JSON.</summary>
internal static class StatusEndpoints
{
    public static IServiceCollection AddStatus(this IServiceCollection services)
    {
        services.AddSingleton<StatusCollector>();
        services.AddSingleton<ReplicaDirectory>();
        services.AddHostedService(provider => provider.GetRequiredService<ReplicaDirectory>());

        return services;
    }

    public static void MapStatus(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is null)
        {
            return; // without the page the collector would cost time for nothing
        }

        app.Services.GetRequiredService<StatusCollector>().Start();
        var page = new HtmlPage(EmbeddedFile.Read("status.html"));
        app.MapMethods("/status", [HttpMethods.Get, HttpMethods.Head], (HttpContext context, StatusCollector collector) => ShowAsync(context, collector, page))
            .ExcludeFromDescription()
            .DisableHttpMetrics() // the page must not count its own requests
            .RequireManagementPort();
    }

    private static Task ShowAsync(HttpContext context, StatusCollector collector, HtmlPage page)
    {
        context.Response.Headers.Vary = "Accept";
        return context.Request.Headers.Accept.ToString().StartsWith("application/json", StringComparison.OrdinalIgnoreCase)
            ? context.Response.WriteAsJsonAsync(collector.Read(), StatusJson.Default.StatusBody, cancellationToken: context.RequestAborted)
            : page.WriteAsync(context);
    }
}
