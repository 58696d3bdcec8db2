using System.Globalization;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Adds headers, examples, security and the problems of the endpoint (<see cref="ProducedProblems"/>) to every operation.</summary>
internal sealed class OperationResponses : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        operation.Responses ??= [];
        if (HttpMethods.IsHead(context.ApiDescription.HttpMethod ?? string.Empty))
        {
            operation.OperationId += "Head"; // one endpoint, two operations: operation ids are unique
        }

        foreach (var id in (operation.Parameters ?? []).OfType<OpenApiParameter>().Where(parameter => parameter.Name is "id"))
        {
            id.Description = GenerationId.Rule;
        }

        if (operation.Responses.TryGetValue("200", out var success) && success.Content is { } content
            && content.TryGetValue("application/json", out var media) && media is OpenApiMediaType body)
        {
            body.Examples = new Dictionary<string, IOpenApiExample>
            {
                ["completed"] = new OpenApiExample { Summary = "Completed", Value = Examples.Completed },
                ["processing"] = new OpenApiExample { Summary = "Processing", Value = Examples.Processing },
                ["failed"] = new OpenApiExample { Summary = "Failed", Value = Examples.Failed },
            };
            AddHeaders((OpenApiResponse)success);
            operation.Responses["304"] = new OpenApiResponse { Description = "Not modified: the response is the one that `If-None-Match` names." };
        }

        if (metadata.OfType<RequiredPermission>().FirstOrDefault() is { } permission)
        {
            operation.Description += permission.For(context.ApiDescription.HttpMethod ?? "GET") is Permissions.None ? "" : $"\n\nRequires the right `{permission.For(context.ApiDescription.HttpMethod ?? "GET").ToString().ToLowerInvariant()}`.";
            operation.Security = ClientKeys(context.Document);
        }

        if (metadata.OfType<ProducedProblems>().FirstOrDefault() is { } produced)
        {
            AddProblems(operation, produced.Kinds, context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository));
        }
    }

    /// <summary>The two ways to send a client key. Swagger UI sends the key only with operations that declare one.</summary>
    internal static List<OpenApiSecurityRequirement> ClientKeys(OpenApiDocument document) =>
    [
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentServices.ApiKeyScheme, document)] = [] },
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentServices.BearerScheme, document)] = [] },
    ];

    /// <summary>Adds one response for each status of the problems.</summary>
    internal static void AddProblems(OpenApiOperation operation, IEnumerable<ProblemKind> kinds, IOpenApiSchema schema)
    {
        foreach (var group in kinds.GroupBy(kind => kind.Status))
        {
            operation.Responses![group.Key.ToString(CultureInfo.InvariantCulture)] = ProblemResponse(group, schema);
        }
    }

    private static OpenApiResponse ProblemResponse(IEnumerable<ProblemKind> kinds, IOpenApiSchema schema) => new()
    {
        Description = string.Join(" · ", kinds.Select(kind => $"{kind.Title} (`{kind.Code}`)")),
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            [ProblemWriter.ContentType] = new OpenApiMediaType
            {
                Schema = schema,
                Examples = kinds.ToDictionary(kind => kind.Code, kind => (IOpenApiExample)new OpenApiExample { Summary = kind.Title, Value = Examples.Of(kind) }),
            },
        },
    };

    private static void AddHeaders(OpenApiResponse response) => response.Headers = new Dictionary<string, IOpenApiHeader>
    {
        ["ETag"] = Header("A strong validator of the body."),
        ["Cache-Control"] = Header("`private, max-age=<seconds>` for a fresh final state, else `private, no-cache`."),
        ["Cache-Status"] = Header("How the cache handled the request (RFC 9211)."),
        ["Retry-After"] = Header("Seconds to wait before the next request; only for an interim state."),
        ["RateLimit"] = Header("The requests that the client may send to this replica now; only with a rate limit (draft-ietf-httpapi-ratelimit-headers-10)."),
        ["RateLimit-Policy"] = Header("The client's rate limit; only with one."),
        ["X-Request-Id"] = Header("The request id: the caller's own, or a new one."),
    };

    private static OpenApiHeader Header(string description) => new()
    {
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
