using System.Globalization;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Adds headers, examples and all possible problem responses to every operation.</summary>
internal sealed class OperationResponses : IOperationFilter
{
    /// <summary>Problems that only asset downloads return.</summary>
    private static readonly ProblemKind[] OfAssets =
    [
        ProblemKinds.GenerationUnfinished, ProblemKinds.AssetNotFound, ProblemKinds.PreconditionFailed, ProblemKinds.RangeNotSatisfiable,
        ProblemKinds.AssetAddressRefused, ProblemKinds.AssetUnavailable, ProblemKinds.AssetNotMedia,
    ];

    /// <summary>Problems that only creates return.</summary>
    private static readonly ProblemKind[] OfCreates =
    [
        ProblemKinds.CreateInProgress, ProblemKinds.OutcomeUnknown, ProblemKinds.IdempotencyKeyReused, ProblemKinds.IdempotencyUnavailable,
    ];

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

        if (metadata.OfType<RequiredPermission>().FirstOrDefault() is not { } permission)
        {
            return;
        }

        operation.Description += $"\n\nRequires the right `{permission.For(context.ApiDescription.HttpMethod ?? "GET").ToString().ToLowerInvariant()}`.";
        operation.Security = ClientKeys(context.Document);

        var problem = context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository);
        foreach (var kinds in ProblemsOf(operation.OperationId).GroupBy(kind => kind.Status))
        {
            operation.Responses[kinds.Key.ToString(CultureInfo.InvariantCulture)] = ProblemResponse(kinds, problem);
        }
    }

    /// <summary>The two ways to send a client key. Swagger UI sends the key only with operations that declare one.</summary>
    internal static List<OpenApiSecurityRequirement> ClientKeys(OpenApiDocument document) =>
    [
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentServices.ApiKeyScheme, document)] = [] },
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentServices.BearerScheme, document)] = [] },
    ];

    internal static OpenApiResponse ProblemResponse(IEnumerable<ProblemKind> kinds, IOpenApiSchema schema) => new()
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

    private static IEnumerable<ProblemKind> ProblemsOf(string? operation) => operation switch
    {
        "GetVideo" or "GetImage" or "GetThumbnail" or "GetLastFrame" or "GetVideoHead" or "GetImageHead" or "GetThumbnailHead" or "GetLastFrameHead" =>
            ProblemsOf(null).Concat(OfAssets),
        "ForgetGeneration" =>
        [
            ProblemKinds.InvalidId, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.MethodNotAllowed,
            ProblemKinds.RateLimited, ProblemKinds.CacheUnavailable, ProblemKinds.IssuerUnavailable,
        ],
        _ => ProblemKinds.All.Except([ProblemKinds.InvalidRequest, ProblemKinds.NotFound, ProblemKinds.TooLarge, ProblemKinds.CacheUnavailable, .. OfAssets, .. OfCreates]),
    };

    private static void AddHeaders(OpenApiResponse response) => response.Headers = new Dictionary<string, IOpenApiHeader>
    {
        ["ETag"] = Header("A strong validator of the body."),
        ["Cache-Control"] = Header("`private, max-age=<seconds>` for a fresh final state, else `private, no-cache`."),
        ["Cache-Status"] = Header("How the cache handled the request (RFC 9211)."),
        ["Retry-After"] = Header("Seconds to wait before the next request; only for an interim state."),
        ["X-Request-Id"] = Header("The request id: the caller's own, or a new one."),
    };

    private static OpenApiHeader Header(string description) => new()
    {
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
