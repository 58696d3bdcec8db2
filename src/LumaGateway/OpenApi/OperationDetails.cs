using System.Globalization;
using System.Text.Json.Nodes;
using LumaGateway.Access;
using LumaGateway.Documentation;
using LumaGateway.Problems;
using LumaGateway.Proxy;
using LumaGateway.Proxy.Idempotency;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Adds what the metadata of the endpoint says to every operation: parameters, headers, examples, security and problems.</summary>
internal sealed class OperationDetails : IOperationFilter
{
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        operation.Parameters =
        [
            .. (operation.Parameters ?? []).Select(parameter => parameter.Name is "id" ? SharedParts.Id(context.Document) : parameter),
            .. metadata.OfType<DocumentedParameter>().Select(parameter => CreateParameter(parameter, context)),
        ];
        if (metadata.OfType<DocumentedBody>().FirstOrDefault() is { } body)
        {
            operation.RequestBody = CreateBody(body, context);
        }

        operation.Responses ??= [];
        if ((operation.Responses.TryGetValue("200", out var response) || operation.Responses.TryGetValue("201", out response)) && response is OpenApiResponse success)
        {
            AddHeaders(success, metadata.OfType<DocumentedHeader>());
            AddExamples(success, metadata.OfType<DocumentedExamples>().SelectMany(examples => examples.Names), context.Document);
        }

        if (metadata.OfType<RequiredPermission>().FirstOrDefault() is { } permission)
        {
            var required = permission.For(context.ApiDescription.HttpMethod ?? "GET");
            operation.Description += required is Permissions.None ? "" : $"\n\n{SharedParts.Requires(required)}";
        }
        else
        {
            operation.Security = []; // the document requires a client key for every other operation
        }

        SharedParts.AddProblems(operation, metadata.OfType<ProducedProblems>().SelectMany(produced => produced.Kinds), context.Document);
    }

    private static OpenApiRequestBody CreateBody(DocumentedBody body, OperationFilterContext context) => new()
    {
        Required = true,
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["application/json"] = new OpenApiMediaType
            {
                Schema = context.SchemaGenerator.GenerateSchema(body.Type, context.SchemaRepository),
                Examples = new Dictionary<string, IOpenApiExample> { [body.Example] = new OpenApiExampleReference(body.Example, context.Document) },
            },
        },
    };

    private static IOpenApiParameter CreateParameter(DocumentedParameter parameter, OperationFilterContext context)
    {
        // The operations under /luma refer to these two as well.
        if (parameter.Name is IdempotencyMiddleware.KeyHeader)
        {
            return PassthroughBodies.Key(context.Document);
        }

        if (parameter.Name is AccountMiddleware.Header)
        {
            return PassthroughBodies.Account(context.Document);
        }

        var schema = context.SchemaGenerator.GenerateSchema(parameter.Type, context.SchemaRepository);
        if (parameter.Range is var (min, max) && schema is OpenApiSchema number)
        {
            number.Minimum = min.ToString(CultureInfo.InvariantCulture);
            number.Maximum = max.ToString(CultureInfo.InvariantCulture);
        }

        if (schema is OpenApiSchemaReference reference)
        {
            reference.Description = null; // the description of the type, which the reference leads to
        }

        return new OpenApiParameter
        {
            Name = parameter.Name,
            In = parameter.In,
            Required = parameter.IsRequired,
            Description = parameter.Description,
            Style = parameter.IsList ? ParameterStyle.Form : null,
            Explode = false,
            Schema = parameter.IsList ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = schema, MinItems = 1 } : schema,
            Example = parameter is { IsList: true, Example: { } item } ? new JsonArray(item) : parameter.Example,
        };
    }

    private static void AddHeaders(OpenApiResponse response, IEnumerable<DocumentedHeader> headers)
    {
        foreach (var header in headers)
        {
            response.Headers ??= new Dictionary<string, IOpenApiHeader>();
            response.Headers[header.Name] = new OpenApiHeader { Description = header.Description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
        }
    }

    private static void AddExamples(OpenApiResponse response, IEnumerable<string> names, OpenApiDocument document)
    {
        foreach (var name in names)
        {
            var body = (OpenApiMediaType)response.Content!.Values.Single();
            body.Examples ??= new Dictionary<string, IOpenApiExample>();
            body.Examples[name] = new OpenApiExampleReference(name, document);
        }
    }
}
