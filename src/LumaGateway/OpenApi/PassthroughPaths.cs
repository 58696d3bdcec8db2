using System.Globalization;
using System.Text.RegularExpressions;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using Microsoft.Extensions.Primitives;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;
using Yarp.ReverseProxy;

namespace LumaGateway.OpenApi;

/// <summary>Adds the routes that YARP carries just now: the API explorer does not see those.</summary>
internal sealed partial class PassthroughPaths(IProxyStateLookup proxy) : IDocumentFilter
{
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
            var path = Plain(route.Match.Path!);
            swaggerDoc.Paths ??= [];
            var item = swaggerDoc.Paths.TryGetValue(path, out var known) ? (OpenApiPathItem)known : new OpenApiPathItem();
            swaggerDoc.Paths[path] = item;
            foreach (var method in route.Match.Methods ?? [HttpMethods.Get])
            {
                item.AddOperation(new HttpMethod(method), Describe(route.RouteId, path, method, problem, swaggerDoc));
            }
        }
    }

    /// <summary>OpenAPI knows names of parameters, not their constraints.</summary>
    [GeneratedRegex(@"\{\**([^:}]+)(:[^}]*)?\}")]
    private static partial Regex Parameter();

    private static string Plain(string path) => Parameter().Replace(path, "{$1}");

    private static string RightsFor(string method) =>
        HttpMethods.IsPost(method) ? "rights `raw` and `create`" : HttpMethods.IsDelete(method) ? "rights `raw` and `delete`" : "right `raw`";

    private static OpenApiOperation Describe(string name, string path, string method, IOpenApiSchema problem, OpenApiDocument document)
    {
        var operation = new OpenApiOperation
        {
            OperationId = $"Luma_{name}_{method}",
            Summary = $"Luma's own API: {name}",
            Description = $"Passed to the upstream as it is, with the gateway's token put in; its answer passes byte for byte. Asks for the {RightsFor(method)}.",
            Tags = new HashSet<OpenApiTagReference> { new("Luma, unread", document) },
            Parameters = [],
            Security = OperationResponses.ClientKeys(document),
            Responses = new OpenApiResponses { ["default"] = new OpenApiResponse { Description = "Whatever the upstream answers." } },
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
            AddCreate(operation);
        }

        IEnumerable<ProblemKind> kinds =
        [
            .. HttpMethods.IsPost(method) ? OfCreates : [],
            ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.RateLimited, ProblemKinds.Unreachable,
            ProblemKinds.TokenRefused, ProblemKinds.OutOfCredit, ProblemKinds.Saturated, ProblemKinds.TimedOut,
        ];
        foreach (var group in kinds.GroupBy(kind => kind.Status))
        {
            operation.Responses[group.Key.ToString(CultureInfo.InvariantCulture)] = OperationResponses.ProblemAnswer(group, problem);
        }

        return operation;
    }

    private static void AddCreate(OpenApiOperation operation)
    {
        operation.Parameters!.Add(new OpenApiParameter
        {
            Name = IdempotencyMiddleware.KeyHeader,
            In = ParameterLocation.Header,
            Description = $"1 to 255 visible ASCII characters. The same key with the same body gets the first answer again, marked `{IdempotencyMiddleware.ReplayedHeader}: true`; a create whose outcome is unknown is never repeated.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = 255 },
        });
        operation.RequestBody = new OpenApiRequestBody
        {
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                ["application/json"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.Object } },
            },
        };
    }
}
