using System.Text.RegularExpressions;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using Microsoft.Extensions.Primitives;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;
using Yarp.ReverseProxy;

namespace LumaGateway.OpenApi;

/// <summary>Adds YARP's current routes: the API explorer does not list them.</summary>
internal sealed partial class PassthroughPaths(IProxyStateLookup proxy) : IDocumentFilter
{
    /// <summary>The uploads of the Agents API, which are multipart or JSON.</summary>
    private const string FilesPath = "/luma/files";

    private static readonly ProblemKind[] OfCreates =
    [
        ProblemKinds.InvalidRequest, ProblemKinds.CreateInProgress, ProblemKinds.OutcomeUnknown, ProblemKinds.TooLarge,
        ProblemKinds.IdempotencyKeyReused, ProblemKinds.IdempotencyUnavailable,
    ];

    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        var problem = context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository);
        foreach (var route in proxy.GetRoutes().Select(route => route.Config).Where(route => route.Match.Path is not null).OrderBy(route => route.RouteId, StringComparer.Ordinal))
        {
            var path = WithoutConstraints(route.Match.Path!);
            swaggerDoc.Paths ??= [];
            var item = swaggerDoc.Paths.TryGetValue(path, out var existing) ? (OpenApiPathItem)existing : new OpenApiPathItem();
            swaggerDoc.Paths[path] = item;
            foreach (var method in route.Match.Methods ?? [HttpMethods.Get])
            {
                item.AddOperation(new HttpMethod(method), CreateOperation(route.RouteId, path, method, problem, swaggerDoc));
            }
        }
    }

    /// <summary>A route parameter with its constraint: OpenAPI has no constraints in paths.</summary>
    [GeneratedRegex(@"\{\**([^:}]+)(:[^}]*)?\}")]
    private static partial Regex Parameter();

    private static string WithoutConstraints(string path) => Parameter().Replace(path, "{$1}");

    private static string RightsFor(string method) =>
        HttpMethods.IsPost(method) ? "rights `raw` and `create`" : HttpMethods.IsDelete(method) ? "rights `raw` and `delete`" : "right `raw`";

    private static OpenApiOperation CreateOperation(string name, string path, string method, IOpenApiSchema problem, OpenApiDocument document)
    {
        var operation = new OpenApiOperation
        {
            OperationId = $"Luma_{name}_{method}",
            Summary = $"Luma's own API: {name}",
            Description = $"The gateway forwards the request to the upstream with its own token, and returns the response unchanged. Requires the {RightsFor(method)}.",
            Tags = new HashSet<OpenApiTagReference> { new("Luma's own API", document) },
            Parameters = [],
            Security = OperationResponses.ClientKeys(document),
            Responses = new OpenApiResponses { ["default"] = new OpenApiResponse { Description = "The upstream's response." } },
        };
        foreach (var segment in new StringSegment(path).Split(['/']).Where(segment => segment.StartsWith("{", StringComparison.Ordinal)))
        {
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = segment.Subsegment(1, segment.Length - 2).ToString(),
                In = ParameterLocation.Path,
                Required = true,
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            });
        }

        if (HttpMethods.IsPost(method))
        {
            AddCreateParameters(operation, path);
        }

        IEnumerable<ProblemKind> kinds =
        [
            .. HttpMethods.IsPost(method) ? OfCreates : [],
            ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.RateLimited, ProblemKinds.Unreachable,
            ProblemKinds.TokenRefused, ProblemKinds.OutOfCredit, ProblemKinds.Saturated, ProblemKinds.TimedOut,
        ];
        OperationResponses.AddProblems(operation, kinds, problem);
        return operation;
    }

    private static void AddCreateParameters(OpenApiOperation operation, string path)
    {
        operation.Parameters!.Add(new OpenApiParameter
        {
            Name = IdempotencyMiddleware.KeyHeader,
            In = ParameterLocation.Header,
            Description = $"1 to 255 visible ASCII characters. A request with the same key and body gets the recorded response, with the header `{IdempotencyMiddleware.ReplayedHeader}: true`. A create with an unknown outcome is never sent again.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 },
        });
        operation.RequestBody = new OpenApiRequestBody
        {
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                ["application/json"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } },
            },
        };
        if (path == FilesPath)
        {
            operation.RequestBody.Content!["multipart/form-data"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Properties = new Dictionary<string, IOpenApiSchema> { ["file"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } },
                },
            };
        }
    }
}
