using LumaGateway.Hosting;
using Microsoft.Extensions.Options;

namespace LumaGateway.Status;

/// <summary>Maps the page for people, and the numbers it shows under the same address for who accepts JSON. On the management port alone.</summary>
internal static class StatusEndpoints
{
    public static IServiceCollection AddStatus(this IServiceCollection services)
    {
        services.AddSingleton<StatusNumbers>();
        services.AddSingleton<StatusPage>();

        return services;
    }

    public static void MapStatus(this WebApplication app)
    {
        if (app.Services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is null)
        {
            return; // nobody could look, so nothing is counted
        }

        app.Services.GetRequiredService<StatusNumbers>().Listen();
        app.MapMethods("/status", [HttpMethods.Get, HttpMethods.Head], ShowAsync)
            .ExcludeFromDescription()
            .DisableHttpMetrics() // the page must not show itself being looked at
            .RequireManagementPort();
    }

    private static Task ShowAsync(HttpContext context, StatusNumbers numbers, StatusPage page)
    {
        context.Response.Headers.Vary = "Accept";
        if (context.Request.Headers.Accept.ToString().StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            return context.Response.WriteAsJsonAsync(numbers.Read(), StatusJson.Default.StatusBody, cancellationToken: context.RequestAborted);
        }

        context.Response.Headers.ContentSecurityPolicy = page.Policy;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.ContentLength = page.Html.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(page.Html, context.RequestAborted).AsTask();
    }
}
