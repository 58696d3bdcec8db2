using System.Globalization;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Gives every operation its headers, its examples, and every problem of the table that it can answer with.</summary>
internal sealed class OperationResponses : IOperationFilter
{
    /// <summary>What only files and creates are refused with.</summary>
    private static readonly ProblemKind[] OfAssets =
    [
        ProblemKinds.GenerationUnfinished, ProblemKinds.AssetNotFound, ProblemKinds.PreconditionFailed, ProblemKinds.RangeNotSatisfiable,
        ProblemKinds.AssetAddressRefused, ProblemKinds.AssetUnavailable, ProblemKinds.AssetNotMedia,
    ];

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
            operation.OperationId += "Head"; // one endpoint, two operations: each has an id of its own
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
                ["completed"] = new OpenApiExample { Summary = "Finished", Value = Examples.Completed },
                ["processing"] = new OpenApiExample { Summary = "Being made", Value = Examples.Processing },
                ["failed"] = new OpenApiExample { Summary = "Failed", Value = Examples.Failed },
            };
            AddHeaders((OpenApiResponse)success);
            operation.Responses["304"] = new OpenApiResponse { Description = "The caller's copy, named by `If-None-Match`, is still the answer." };
        }

        if (metadata.OfType<RequiredPermission>().FirstOrDefault() is not { } right)
        {
            return;
        }

        operation.Description += $"\n\nAsks for the right `{right.For(context.ApiDescription.HttpMethod ?? "GET").ToString().ToLowerInvariant()}`.";
        operation.Security = ClientKeys(context.Document);

        var problem = context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository);
        foreach (var kinds in Answers(operation.OperationId).GroupBy(kind => kind.Status))
        {
            operation.Responses[kinds.Key.ToString(CultureInfo.InvariantCulture)] = ProblemAnswer(kinds, problem);
        }
    }

    /// <summary>Either way of sending a client key; *Authorize* sends it only with operations that name one.</summary>
    internal static List<OpenApiSecurityRequirement> ClientKeys(OpenApiDocument document) =>
    [
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentServices.ApiKeyScheme, document)] = [] },
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(DocumentServices.BearerScheme, document)] = [] },
    ];

    internal static OpenApiResponse ProblemAnswer(IEnumerable<ProblemKind> kinds, IOpenApiSchema schema) => new()
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

    private static IEnumerable<ProblemKind> Answers(string? operation) => operation switch
    {
        "GetVideo" or "GetImage" or "GetThumbnail" or "GetLastFrame" or "GetVideoHead" or "GetImageHead" or "GetThumbnailHead" or "GetLastFrameHead" =>
            Answers(null).Concat(OfAssets),
        "ForgetGeneration" =>
        [
            ProblemKinds.InvalidId, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.MethodNotAllowed,
            ProblemKinds.RateLimited, ProblemKinds.CacheUnavailable, ProblemKinds.IssuerUnavailable,
        ],
        _ => ProblemKinds.All.Except([ProblemKinds.InvalidRequest, ProblemKinds.NotFound, ProblemKinds.TooLarge, ProblemKinds.CacheUnavailable, .. OfAssets, .. OfCreates]),
    };

    private static void AddHeaders(OpenApiResponse response) => response.Headers = new Dictionary<string, IOpenApiHeader>
    {
        ["ETag"] = Header("Strong validator of the body."),
        ["Cache-Control"] = Header("`private, max-age=<seconds still fresh>` for a fresh finished answer, else `private, no-cache`."),
        ["Cache-Status"] = Header("How the answer came about (RFC 9211)."),
        ["Retry-After"] = Header("Seconds until asking again makes sense; only while unfinished."),
        ["X-Request-Id"] = Header("The caller's own, or a new one."),
    };

    private static OpenApiHeader Header(string description) => new()
    {
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
