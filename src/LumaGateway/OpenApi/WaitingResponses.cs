using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Problems;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Describes parameters and responses of long polls, event streams and batches, which their code reads and writes by hand. Runs after <see cref="OperationResponses"/>.</summary>
internal sealed class WaitingResponses : IOperationFilter
{
    private const string Etag = "\"0f8a3c5d7b9e1f2a4c6d8e0b1a3f5c7d\"";

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        switch (operation.OperationId)
        {
            case "GetGeneration" or "GetGenerationHead":
                AddParameter(operation, "Prefer", ParameterLocation.Header, "`wait=N` (RFC 7240): respond when the generation reaches a final state, or after N seconds with the current state. N is limited to `Waiting:Longest`.", null, isRequired: false);
                Success(operation).Headers!["Preference-Applied"] = new OpenApiHeader
                {
                    Description = "`wait=N` with the N that was applied; only if the request has `Prefer: wait=N`.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                };
                break;
            case "GetGenerations":
                AddIds(operation);
                DescribeBatch(operation, context);
                break;
            case "StreamGeneration":
                AddLastEventId(operation);
                DescribeStream(operation, $"event: generation\nid: {Etag}\ndata: {Examples.Completed.ToJsonString(ContractsJson.Web.Options)}\n\n");
                break;
            case "StreamGenerations":
                AddIds(operation);
                AddLastEventId(operation);
                DescribeStream(operation, $"event: generation\nid: Ro2kUQAAAAA\ndata: {Examples.Processing.ToJsonString(ContractsJson.Web.Options)}\n\n");
                break;
            case "TakeCallback":
                AddParameter(operation, "secret", ParameterLocation.Path, "The secret in `Callbacks:SecretFile`, or a token that the gateway created from it.", "***", isRequired: true);
                break;
        }
    }

    private static OpenApiResponse Success(OpenApiOperation operation) => (OpenApiResponse)operation.Responses!["200"];

    private static void AddIds(OpenApiOperation operation) =>
        AddParameter(operation, "ids", ParameterLocation.Query, "Generation ids, separated by commas; at most `Batch:MaxIds`. A repeated id counts once.", Examples.CompletedId, isRequired: true);

    private static void AddLastEventId(OpenApiOperation operation) =>
        AddParameter(operation, "Last-Event-ID", ParameterLocation.Header, "The id of the last event that the client received. An EventSource sends it when it reconnects. Events up to that id are not repeated, on any replica.", null, isRequired: false);

    private static void AddParameter(OpenApiOperation operation, string name, ParameterLocation place, string description, string? example, bool isRequired)
    {
        operation.Parameters ??= [];
        operation.Parameters.Add(new OpenApiParameter
        {
            Name = name,
            In = place,
            Required = isRequired,
            Description = description,
            Example = example,
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        });
    }

    private static void DescribeBatch(OpenApiOperation operation, OperationFilterContext context)
    {
        var success = Success(operation);
        success.Headers = null;
        operation.Responses!.Remove("304");
        var item = new OpenApiSchema
        {
            OneOf = [Schema(typeof(Generation)), Schema(typeof(BatchItem))],
        };
        var body = (OpenApiMediaType)success.Content!["application/json"];
        body.Schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Required = new HashSet<string> { "generations" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["generations"] = new OpenApiSchema { Type = JsonSchemaType.Array, Items = item },
            },
        };
        body.Examples = new Dictionary<string, IOpenApiExample>
        {
            ["several"] = new OpenApiExample
            {
                Summary = "One completed, one unknown",
                Value = new JsonObject
                {
                    ["generations"] = new JsonArray(
                        Examples.Completed.DeepClone(),
                        new JsonObject { ["id"] = "unknown", ["problem"] = Examples.Of(ProblemKinds.GenerationNotFound) }),
                },
            },
        };

        IOpenApiSchema Schema(Type type) => context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository);
    }

    private static void DescribeStream(OpenApiOperation operation, string example) => Success(operation).Content = new Dictionary<string, IOpenApiMediaType>
    {
        [EventWriter.ContentType] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
            Examples = new Dictionary<string, IOpenApiExample> { ["event"] = new OpenApiExample { Summary = "One event", Value = example } },
        },
    };
}
