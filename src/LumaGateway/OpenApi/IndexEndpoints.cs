using System.Text;
using System.Text.Json.Serialization;
using LumaGateway.Hosting;
using Microsoft.Extensions.Options;

namespace LumaGateway.OpenApi;

/// <summary>
/// Maps <c>/</c>, which points to the pages of the gateway: HTML for a browser, otherwise JSON. It contains no version and no host. It is for people, so it is not
/// in the OpenAPI document.
/// </summary>
internal static class IndexEndpoints
{
    public static void MapIndex(this WebApplication app)
    {
        var links = LinksOf(app.Services);
        var body = new IndexBody("LumaGateway", links.ToDictionary(link => link.Name, link => link.Path, StringComparer.Ordinal));
        var page = new HtmlPage(HtmlOf(links));
        app.MapMethods("/", [HttpMethods.Get, HttpMethods.Head], context =>
            {
                context.Response.Headers.Vary = "Accept";
                return HtmlPage.IsHtmlWanted(context.Request)
                    ? page.WriteAsync(context)
                    : context.Response.WriteAsJsonAsync(body, IndexJson.Default.IndexBody, cancellationToken: context.RequestAborted);
            })
            .ExcludeFromDescription();
    }

    private static List<IndexLink> LinksOf(IServiceProvider services)
    {
        List<IndexLink> links = [];
        if (services.GetRequiredService<IOptions<DocumentOptions>>().Value.Enabled)
        {
            links.Add(new("swagger", "/swagger", "Swagger UI: every operation, with examples and a form to try it"));
            links.Add(new("openapi", "/openapi/v1.json", "The OpenAPI document"));
        }

        links.Add(new("live", "/health/live", "Whether the process responds"));
        links.Add(new("ready", "/health/ready", "Whether the gateway accepts requests, and the state of its dependencies"));
        if (services.GetRequiredService<IOptions<ManagementOptions>>().Value.Port is not null)
        {
            links.Add(new("status", "/status", "The status page", IsOnManagementPort: true));
            links.Add(new("metrics", "/metrics", "Metrics for Prometheus", IsOnManagementPort: true));
        }

        return links;
    }

    private static string HtmlOf(IEnumerable<IndexLink> links)
    {
        var items = new StringBuilder();
        foreach (var link in links)
        {
            items.Append(link.IsOnManagementPort
                ? $"<dt><code>{link.Path}</code></dt><dd>{link.Text}, on the management port</dd>\n"
                : $"<dt><a href=\".{link.Path}\"><code>{link.Path}</code></a></dt><dd>{link.Text}</dd>\n"); // relative, for a gateway behind a path prefix
        }

        return $$"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="description" content="A gateway to Luma for internal services.">
            <title>LumaGateway</title>
            <style>
            :root { color-scheme: light dark; background: Canvas; color: CanvasText; }
            body { max-width: 640px; margin: 0 auto; padding: 24px 16px; font: 16px/1.5 system-ui, sans-serif; }
            dt { margin-top: 14px; } dd { margin: 0; } a { display: inline-block; padding: 4px 0; }
            </style>
            </head>
            <body>
            <main>
            <h1>LumaGateway</h1>
            <p>A gateway to Luma for internal services.</p>
            <dl>
            {{items}}</dl>
            </main>
            </body>
            </html>

            """;
    }

    private sealed record IndexLink(string Name, string Path, string Text, bool IsOnManagementPort = false);
}

/// <summary>The JSON of <c>/</c>.</summary>
/// <param name="Name">The name of the program.</param>
/// <param name="Links">The paths of its pages; those of <c>status</c> and <c>metrics</c> are on the management port.</param>
internal sealed record IndexBody(string Name, IReadOnlyDictionary<string, string> Links);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IndexBody))]
internal sealed partial class IndexJson : JsonSerializerContext;
