using System.Globalization;
using LumaGateway.Contracts;
using LumaGateway.Errors;
using Microsoft.Extensions.Primitives;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.Features.OpenApi;

/// <summary>Adds the routes that YARP carries, as the settings list them: the API explorer does not see those.</summary>
internal sealed class PassthroughPaths(IProxyConfigProvider routes) : IDocumentFilter
{
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        var problem = context.SchemaGenerator.GenerateSchema(typeof(Problem), context.SchemaRepository);
        foreach (var route in routes.GetConfig().Routes.Where(route => route.Match.Path is not null))
        {
            var path = route.Match.Path!.Replace("**", string.Empty, StringComparison.Ordinal);
            swaggerDoc.Paths ??= [];
            var item = swaggerDoc.Paths.TryGetValue(path, out var known) ? (OpenApiPathItem)known : new OpenApiPathItem();
            swaggerDoc.Paths[path] = item;
            foreach (var method in route.Match.Methods ?? [HttpMethods.Get])
            {
                item.AddOperation(new HttpMethod(method), Describe(route.RouteId, path, method, problem, swaggerDoc));
            }
        }
    }

    private static OpenApiOperation Describe(string name, string path, string method, IOpenApiSchema problem, OpenApiDocument document)
    {
        var operation = new OpenApiOperation
        {
            OperationId = $"Luma_{name}_{method}",
            Summary = $"Luma's own API: {name}",
            Description = "Passed to the upstream as it is, with the gateway's token put in; its answer passes byte for byte. Asks for the right `raw`.",
            Tags = new HashSet<OpenApiTagReference> { new("Luma, unread", document) },
            Parameters = [],
            Security = OperationAnswers.ClientKeys(document),
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

        ProblemKind[] kinds =
        [
            ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.RateLimited, ProblemKinds.Unreachable,
            ProblemKinds.TokenRefused, ProblemKinds.OutOfCredit, ProblemKinds.Saturated, ProblemKinds.TimedOut,
        ];
        foreach (var group in kinds.GroupBy(kind => kind.Status))
        {
            operation.Responses[group.Key.ToString(CultureInfo.InvariantCulture)] = OperationAnswers.ProblemAnswer(group, problem);
        }

        return operation;
    }
}
