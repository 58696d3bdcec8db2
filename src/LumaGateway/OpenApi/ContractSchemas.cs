using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LumaGateway.Contracts;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Adds constraints to the contracts that reflection does not find: every key is required, an id has a pattern, the states are an enumeration.</summary>
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
            shape.Required = properties.Keys.ToHashSet();
            shape.AdditionalPropertiesAllowed = true; // later versions may add keys, and never remove any
        }

        if (context.Type == typeof(GenerationId))
        {
            shape.Type = JsonSchemaType.String;
            shape.Pattern = "^[A-Za-z0-9._~=-]{1,256}$";
            shape.Examples = [Examples.CompletedId];
            shape.Properties?.Clear();
        }

        if (context.Type == typeof(GenerationState))
        {
            DescribeWords(shape, ContractsJson.Web.GenerationState);
        }

        if (context.Type == typeof(OutputRole))
        {
            DescribeWords(shape, ContractsJson.Web.OutputRole);
        }
    }

    private static void DescribeWords<T>(OpenApiSchema shape, JsonTypeInfo<T> type)
        where T : struct, Enum
    {
        shape.Type = JsonSchemaType.String;
        shape.Format = null;
        shape.Enum = [.. Enum.GetValues<T>().Select(value => JsonSerializer.SerializeToNode(value, type)!)];
    }
}
