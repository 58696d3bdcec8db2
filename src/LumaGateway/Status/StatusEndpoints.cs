using LumaGateway.Hosting;
using Microsoft.Extensions.Options;

namespace LumaGateway.Status;

/// <summary>Maps <c>/status</c> on the management port: an HTML page, or its data for a client that accepts JSON.</summary>
internal static class StatusEndpoints
{
    public static IServiceCollection AddStatus(this IServiceCollection services)
    {
        services.AddSingleton<StatusCollector>();
        services.AddSingleton<StatusPage>();

        return services;
    }

    public static void MapStatus(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is null)
        {
            return; // without the page the collector would cost time for nothing
        }

        app.Services.GetRequiredService<StatusCollector>().Start();
        app.MapMethods("/status", [HttpMethods.Get, HttpMethods.Head], ShowAsync)
            .ExcludeFromDescription()
            .DisableHttpMetrics() // the page must not count its own requests
            .RequireManagementPort();
    }

    private static Task ShowAsync(HttpContext context, StatusCollector collector, StatusPage page)
    {
        context.Response.Headers.Vary = "Accept";
        if (context.Request.Headers.Accept.ToString().StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            return context.Response.WriteAsJsonAsync(collector.Read(), StatusJson.Default.StatusBody, cancellationToken: context.RequestAborted);
        }

        context.Response.Headers.ContentSecurityPolicy = page.Policy;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = page.Html.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(page.Html, context.RequestAborted).AsTask();
    }
}
