using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.Hosting;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;
using Yarp.ReverseProxy;

namespace LumaGateway.OpenApi;

/// <summary>Registers and maps the OpenAPI document and Swagger UI. The gateway serves all files of the page itself.</summary>
internal static class DocumentServices
{
    private const string Document = "v1";

    public static IServiceCollection AddGatewayDocument(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = ContractsJson.Web.Options.PropertyNamingPolicy;
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ContractsJson.Web);
        });
        services.AddOptions<DocumentOptions>().BindConfiguration(DocumentOptions.Section);
        services.AddEndpointsApiExplorer();
        services.ConfigureSwagger(options => options.SetCustomDocumentSerializer<CompactSerializer>());
        services.AddSwaggerGen(options =>
        {
            options.SwaggerDoc(Document, new OpenApiInfo
            {
                Title = "LumaGateway",
                Version = Instrumentation.Version,
                Description = "A gateway to Luma for internal services. It returns generations of every upstream in one format and caches them. Every GET also supports HEAD, except the event streams, `GET /generations` and the paths under `/luma` without an id.",
                Contact = new OpenApiContact { Name = "The operators of this gateway" },
                License = new OpenApiLicense { Name = "MIT License", Identifier = "MIT" },
            });
            options.AddServer(new OpenApiServer { Url = "/", Description = "The gateway that serves this document" });
            options.AddSecurityDefinition(SharedParts.ApiKeyScheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = "X-Api-Key",
                Description = "The client key that the gateway's operators gave you.",
            });
            options.AddSecurityDefinition(SharedParts.BearerScheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "The same client key, as Luma's SDKs send it; or a JWT, if the gateway's operators have configured an issuer.",
            });
            options.OrderActionsBy(OperationOrder.KeyOf);
            options.SupportNonNullableReferenceTypes();
            options.UseAllOfToExtendReferenceSchemas(); // so that a reference can be nullable
            options.MapType<JsonObject>(() => new OpenApiSchema { Type = JsonSchemaType.Object | JsonSchemaType.Null });
            options.IncludeXmlComments(typeof(DocumentServices).Assembly);
            options.AddSchemaFilterInstance(new ContractSchemas());
            options.AddOperationFilterInstance(new OperationDetails());
            options.AddDocumentFilterInstance(new SharedParts());
            options.DocInclusionPredicate((_, description) => !HttpMethods.IsHead(description.HttpMethod ?? string.Empty));
        });
        services.AddOptions<SwaggerGenOptions>().Configure<IProxyStateLookup>((options, proxy) => options.AddDocumentFilterInstance(new PassthroughPaths(proxy)));

        return services;
    }

    public static void MapGatewayDocument(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IOptions<DocumentOptions>>().Value.Enabled)
        {
            return;
        }

        app.MapSwagger("/openapi/{documentName}.json", options => options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1);
        MapFile(app, "/swagger/gateway.css", "swagger.css", "text/css; charset=utf-8");
        MapFile(app, "/swagger/gateway.js", "swagger.js", "text/javascript; charset=utf-8");
        // Only if routing found no endpoint: on the management port it finds one that responds with 404.
        app.UseWhen(static context => context.GetEndpoint() is null && context.Request.Path.StartsWithSegments("/swagger"), pages => pages.UseSwaggerUI(ui =>
        {
            ui.RoutePrefix = "swagger";
            ui.DocumentTitle = "LumaGateway";
            ui.SwaggerEndpoint($"/openapi/{Document}.json", "LumaGateway");
            ui.EnablePersistAuthorization();
            ui.DisplayRequestDuration();
            ui.DefaultModelsExpandDepth(0); // the list of schemas, collapsed
            ui.HeadContent = """<meta name="viewport" content="width=device-width, initial-scale=1">""";
            ui.InjectStylesheet("./gateway.css");
            ui.InjectJavascript("./gateway.js");
        }));
    }

    /// <summary>A file of Swagger UI that is compiled into the program.</summary>
    private static void MapFile(WebApplication app, string path, string resource, string contentType)
    {
        var text = EmbeddedFile.Read(resource);
        app.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], () => Results.Text(text, contentType)).ExcludeFromDescription().DisableHttpMetrics();
    }
}
