using System.Globalization;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>
/// Adds the parts that several operations refer to (the id, examples, one response for each status of a problem), and the tags. Operations refer to parts, so that
/// the document has each of them once.
/// </summary>
internal sealed class SharedParts : IDocumentFilter
{
    public const string BearerScheme = "bearer";
    public const string ApiKeyScheme = "clientKey";

    private const string IdName = "id";

    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        swaggerDoc.Security = ClientKeys(swaggerDoc);
        swaggerDoc.Tags = Documentation.DocumentTags.All.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description }).ToHashSet();
        var components = swaggerDoc.Components ??= new OpenApiComponents();
        components.Parameters = new Dictionary<string, IOpenApiParameter>
        {
            [IdName] = new OpenApiParameter
            {
                Name = "id",
                In = ParameterLocation.Path,
                Required = true,
                Description = GenerationId.Rule,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Pattern = "^[A-Za-z0-9._~=-]{1,256}$" },
                Example = Examples.CompletedId,
            },
        };
        components.Examples = Examples.OfResponses.ToDictionary(example => example.Name, example => (IOpenApiExample)new OpenApiExample { Summary = example.Summary, Value = example.Value });
        context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository);
        components.Responses = ProblemKinds.All.GroupBy(kind => kind.Status).ToDictionary(
            group => NameOf(group.Key),
            IOpenApiResponse (group) => ProblemResponse(group.Key, [.. group], swaggerDoc));
    }

    /// <summary>A generation's id, in a path.</summary>
    public static OpenApiParameterReference Id(OpenApiDocument document) => new(IdName, document);

    /// <summary>Adds one response for each status of the problems. It has an own description if these are not all problems with that status.</summary>
    public static void AddProblems(OpenApiOperation operation, IEnumerable<ProblemKind> kinds, OpenApiDocument document)
    {
        foreach (var group in kinds.OrderBy(kind => kind.Status).GroupBy(kind => kind.Status))
        {
            var response = new OpenApiResponseReference(NameOf(group.Key), document);
            if (group.Count() < ProblemKinds.All.Count(kind => kind.Status == group.Key))
            {
                response.Description = DescriptionOf(group);
            }

            operation.Responses![group.Key.ToString(CultureInfo.InvariantCulture)] = response;
        }
    }

    /// <summary>The two ways to send a client key.</summary>
    private static List<OpenApiSecurityRequirement> ClientKeys(OpenApiDocument document) =>
    [
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKeyScheme, document)] = [] },
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(BearerScheme, document)] = [] },
    ];

    private static string NameOf(int status) => ReasonPhrases.GetReasonPhrase(status).Replace(" ", "", StringComparison.Ordinal);

    private static string DescriptionOf(IEnumerable<ProblemKind> kinds) => string.Join(", ", kinds.Select(kind => $"`{kind.Code}`"));

    private static OpenApiResponse ProblemResponse(int status, IReadOnlyList<ProblemKind> kinds, OpenApiDocument document) => new OpenApiResponse
    {
        Description = DescriptionOf(kinds),
        Headers = status is 409 or 429 or 503
            ? new Dictionary<string, IOpenApiHeader>
            {
                ["Retry-After"] = new OpenApiHeader { Description = "Seconds to wait before the next attempt.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } },
            }
            : null,
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            [ProblemWriter.ContentType] = new OpenApiMediaType
            {
                Schema = new OpenApiSchemaReference(nameof(Problem), document),
                Examples = kinds.ToDictionary(kind => kind.Code, kind => (IOpenApiExample)new OpenApiExample { Value = Examples.Of(kind) }),
            },
        },
    };
}
