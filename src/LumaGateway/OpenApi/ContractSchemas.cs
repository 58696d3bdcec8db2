using System.Text.Json;
using LumaGateway.Contracts;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace LumaGateway.OpenApi;

/// <summary>Says of the contracts what reflection does not see: every key is always there, an id has a form, the states are four words.</summary>
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
            shape.AdditionalPropertiesAllowed = true; // keys may be added, never taken away
        }

        if (context.Type == typeof(GenerationId))
        {
            shape.Type = JsonSchemaType.String;
            shape.Pattern = "^[A-Za-z0-9_-]{1,128}$";
            shape.Examples = [Examples.CompletedId];
            shape.Properties?.Clear();
        }

        if (context.Type == typeof(GenerationState))
        {
            shape.Type = JsonSchemaType.String;
            shape.Format = null;
            shape.Enum = [.. Enum.GetValues<GenerationState>().Select(state => JsonSerializer.SerializeToNode(state, ContractsJson.Web.GenerationState)!)];
        }
    }
}
