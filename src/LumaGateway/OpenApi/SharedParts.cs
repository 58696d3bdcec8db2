using System.Globalization;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Documentation;
using LumaGateway.Problems;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>
/// Adds the parts that several operations refer to (the id, examples, one response for each set of problems), and the tags. Operations refer to parts, so that
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
        swaggerDoc.Tags = DocumentTags.All.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description }).ToHashSet();
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
        components.Examples = Examples.OfResponses
            .Concat(ProblemKinds.All.Select(kind => (Name: kind.Code, Summary: (string?)null, Value: Examples.Of(kind))))
            .ToDictionary(example => example.Name, example => (IOpenApiExample)new OpenApiExample { Summary = example.Summary, Value = example.Value });
        context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository);
    }

    /// <summary>The sentence that names the permissions of an operation.</summary>
    public static string Requires(Permissions permissions)
    {
        var names = PermissionNames.Of(permissions).Select(static name => $"`{name}`").ToList();
        return $"Requires the {(names.Count > 1 ? "permissions" : "permission")} {string.Join(" and ", names)}.";
    }

    /// <summary>A generation's id, in a path.</summary>
    public static OpenApiParameterReference Id(OpenApiDocument document) => new(IdName, document);

    /// <summary>Adds one response for each status of the problems, to the operation and, once for each set of problems, to the document.</summary>
    public static void AddProblems(OpenApiOperation operation, IEnumerable<ProblemKind> kinds, OpenApiDocument document)
    {
        var components = document.Components ??= new OpenApiComponents();
        components.Responses ??= new SortedDictionary<string, IOpenApiResponse>(StringComparer.Ordinal);
        foreach (var group in kinds.OrderBy(kind => kind.Status).GroupBy(kind => kind.Status))
        {
            var name = NameOf([.. group]);
            components.Responses.TryAdd(name, ProblemResponse(group.Key, [.. group], document));
            operation.Responses![group.Key.ToString(CultureInfo.InvariantCulture)] = new OpenApiResponseReference(name, document);
        }
    }

    /// <summary>The two ways to send a client key.</summary>
    private static List<OpenApiSecurityRequirement> ClientKeys(OpenApiDocument document) =>
    [
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(ApiKeyScheme, document)] = [] },
        new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(BearerScheme, document)] = [] },
    ];

    /// <summary>
    /// The codes of the problems, or the name of the status if these are all problems with it. A first word that the codes share is written once:
    /// <c>UpstreamFailedOrRejected</c>.
    /// </summary>
    private static string NameOf(ProblemKind[] kinds)
    {
        var phrase = ReasonPhrases.GetReasonPhrase(kinds[0].Status).Replace(" ", "", StringComparison.Ordinal);
        if (kinds.Length > 1 && kinds.Length == ProblemKinds.All.Count(kind => kind.Status == kinds[0].Status)
            && !kinds.Any(kind => kind.Code.Replace("_", "", StringComparison.Ordinal).Equals(phrase, StringComparison.OrdinalIgnoreCase))) // a name of one problem
        {
            return phrase;
        }

        var first = kinds[0].Code.Split('_');
        var others = kinds[1..].Select(kind => kind.Code.Split('_')).Select(words => words[0] == first[0] ? words[1..] : words);
        return string.Join("Or", others.Prepend(first).Select(words => string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..]))));
    }

    private static OpenApiResponse ProblemResponse(int status, IReadOnlyList<ProblemKind> kinds, OpenApiDocument document) => new()
    {
        Description = string.Join(" · ", kinds.Select(kind => $"{kind.Title} (`{kind.Code}`)")),
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
                Examples = kinds.ToDictionary(kind => kind.Code, kind => (IOpenApiExample)new OpenApiExampleReference(kind.Code, document)),
            },
        },
    };
}
