using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using LumaGateway.Contracts;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Completes the schemas of the contracts: every key of a response is required, a reference that may be null is a union with null, and the states are an enumeration.</summary>
internal sealed class ContractSchemas : ISchemaFilter
{
    public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
    {
        if (schema is not OpenApiSchema shape)
        {
            return;
        }

        if (context.Type.Namespace == typeof(Generation).Namespace && shape.Properties is { Count: > 0 } properties)
        {
            var isRequest = context.Type == typeof(CreateGenerationRequest);
            shape.Required = isRequest ? null : properties.Keys.Where(static name => name is not "errors").ToHashSet();
            shape.AdditionalPropertiesAllowed = !isRequest; // later versions may add keys to a response, and never remove any
            foreach (var (name, property) in properties.ToList())
            {
                properties[name] = Simplify(property);
            }
        }

        if (context.Type == typeof(Problem) && shape.Properties?["detail"] is OpenApiSchema detail)
        {
            // The message of the exceptions that Kiota generates.
            (detail.Extensions ??= new Dictionary<string, IOpenApiExtension>())["x-ms-primary-error-message"] = new JsonNodeExtension(JsonValue.Create(true));
        }

        if (context.Type == typeof(GenerationState))
        {
            DescribeWords(shape, ContractsJson.Web.GenerationState);
        }

        if (context.Type == typeof(JobState))
        {
            DescribeWords(shape, ContractsJson.Web.JobState);
        }

        if (context.Type == typeof(OutputRole))
        {
            DescribeWords(shape, ContractsJson.Web.OutputRole);
        }
    }

    /// <summary>
    /// Replaces what SwaggerGen makes of a property with a contract's type, <c>allOf</c> with one reference: with <c>type: null</c> beside it no value is valid.
    /// </summary>
    private static IOpenApiSchema Simplify(IOpenApiSchema property)
    {
        if (property is not OpenApiSchema { AllOf: [OpenApiSchemaReference reference] } wrapper)
        {
            return property;
        }

        if (wrapper.Type?.HasFlag(JsonSchemaType.Null) is true)
        {
            reference.Description = null; // the description of the type, which the reference leads to
            return new OpenApiSchema { Description = wrapper.Description, OneOf = [reference, new OpenApiSchema { Type = JsonSchemaType.Null }] };
        }

        reference.Description = wrapper.Description;
        return reference;
    }

    private static void DescribeWords<T>(OpenApiSchema shape, JsonTypeInfo<T> type)
        where T : struct, Enum
    {
        shape.Type = JsonSchemaType.String;
        shape.Format = null;
        shape.Enum = [.. Enum.GetValues<T>().Select(value => JsonSerializer.SerializeToNode(value, type)!)];
    }
}
