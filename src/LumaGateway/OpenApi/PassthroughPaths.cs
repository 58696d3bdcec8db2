using System.Text.RegularExpressions;
using LumaGateway.Documentation;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;

namespace LumaGateway.OpenApi;

/// <summary>Adds YARP's current routes: the API explorer does not list them.</summary>
internal sealed partial class PassthroughPaths(IProxyStateLookup proxy) : IDocumentFilter
{
    private static readonly ProblemKind[] OfPosts =
    [
        ProblemKinds.InvalidRequest, ProblemKinds.CreateInProgress, ProblemKinds.OutcomeUnknown, ProblemKinds.TooLarge, ProblemKinds.IdempotencyKeyReused,
        ProblemKinds.AccountDraining, ProblemKinds.IdempotencyUnavailable, ProblemKinds.BodyStorageUnavailable, ProblemKinds.AccountSaturated, ProblemKinds.LedgerUnavailable,
    ];

    /// <summary>The problems of the other methods with a body.</summary>
    private static readonly ProblemKind[] OfBodies = [ProblemKinds.TooLarge, ProblemKinds.BodyStorageUnavailable];

    /// <summary>The problems of a path without the id of a generation.</summary>
    private static readonly ProblemKind[] OfAll =
    [
        ProblemKinds.UnknownAccount, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.RateLimited, ProblemKinds.Unreachable,
        ProblemKinds.TokenRefused, ProblemKinds.OutOfCredit, ProblemKinds.Saturated, ProblemKinds.IssuerUnavailable, ProblemKinds.TimedOut,
    ];

    /// <summary>
    /// The problems of a path with the id of a generation: its owner is read from the ledger, and its account is searched for. In the order of
    /// <see cref="ProblemResponses.OfReads"/>, so that the document has one response for both.
    /// </summary>
    private static readonly ProblemKind[] OfOwned =
    [
        ProblemKinds.GenerationNotFound, ProblemKinds.UnknownAccount, ProblemKinds.Unauthenticated, ProblemKinds.Forbidden, ProblemKinds.RateLimited, ProblemKinds.Unreachable,
        ProblemKinds.Failed, ProblemKinds.Rejected, ProblemKinds.Malformed, ProblemKinds.TokenRefused, ProblemKinds.OutOfCredit, ProblemKinds.Throttled, ProblemKinds.CircuitOpen,
        ProblemKinds.Saturated, ProblemKinds.LedgerUnavailable, ProblemKinds.IssuerUnavailable, ProblemKinds.TimedOut,
    ];

    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        PassthroughBodies.AddParts(swaggerDoc);
        foreach (var route in proxy.GetRoutes().Select(route => route.Config).Where(route => route.Match.Path is not null).OrderBy(route => route.RouteId, StringComparer.Ordinal))
        {
            var path = WithoutConstraints(route.Match.Path!);
            swaggerDoc.Paths ??= [];
            foreach (var method in (route.Match.Methods ?? [HttpMethods.Get]).Where(static method => !HttpMethods.IsHead(method)))
            {
                var item = swaggerDoc.Paths.TryGetValue(path, out var existing) ? (OpenApiPathItem)existing : new OpenApiPathItem();
                swaggerDoc.Paths[path] = item;
                item.AddOperation(new HttpMethod(method), CreateOperation(route, path, method, swaggerDoc));
            }
        }
    }

    /// <summary>A route parameter with its constraint: OpenAPI has no constraints in paths.</summary>
    [GeneratedRegex(@"\{\**([^:}]+)(:[^}]*)?\}")]
    private static partial Regex Parameter();

    private static string WithoutConstraints(string path) => Parameter().Replace(path, "{$1}");

    /// <summary>An id that generators make a name of: <c>GET</c> of <c>camera-motions</c> is <c>GetLumaCameraMotions</c>.</summary>
    private static string IdOf(string route, string method) =>
        $"{InPascalCase(method.ToLowerInvariant())}Luma{string.Concat(NonWord().Split(route).Select(InPascalCase))}";

    private static string InPascalCase(string word) => word.Length == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..];

    [GeneratedRegex("[^A-Za-z0-9]+")]
    private static partial Regex NonWord();

    private static OpenApiOperation CreateOperation(RouteConfig route, string path, string method, OpenApiDocument document)
    {
        var operation = new OpenApiOperation
        {
            OperationId = IdOf(route.RouteId, method),
            Summary = $"Luma's own API: {route.RouteId}",
            Description = SharedParts.Requires(RoutePermission.RequiredBy(route).For(method)),
            Tags = new HashSet<OpenApiTagReference> { new(DocumentTags.RawApi, document) },
            Parameters = [.. Parameter().Matches(path).Select(match => PathParameter(match.Groups[1].Value, document)), .. PassthroughBodies.ParametersOf(path, method, document)],
            RequestBody = PassthroughBodies.RequestOf(path, method, document),
            Responses = PassthroughBodies.ResponsesOf(path, method, document),
        };
        var isFile = OwnedRoute.IsFile(path);
        IEnumerable<ProblemKind> kinds =
        [
            .. HttpMethods.IsPost(method) ? OfPosts : PassthroughBodies.HasBody(method) ? OfBodies : [], .. HttpMethods.IsPost(method) && !isFile ? (ProblemKind[])[ProblemKinds.IdempotencyKeyRequired] : [],
            .. path is "/luma/generations" && HttpMethods.IsGet(method) ? (ProblemKind[])[ProblemKinds.ListRefused] : [],
            .. path.Contains("{id}", StringComparison.OrdinalIgnoreCase) && !isFile ? OfOwned : OfAll,
        ];
        SharedParts.AddProblems(operation, kinds.Distinct(), document);
        return operation;
    }

    private static IOpenApiParameter PathParameter(string name, OpenApiDocument document) => name is "id"
        ? SharedParts.Id(document)
        : new OpenApiParameter { Name = name, In = ParameterLocation.Path, Required = true, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
}
