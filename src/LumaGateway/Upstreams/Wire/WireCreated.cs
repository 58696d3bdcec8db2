using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Finds the id of the generation in the response to a create. Pure. Throws no exception.</summary>
internal static class WireCreated
{
    /// <summary>The body, and up to three wrappers (<c>data</c> or <c>output</c>) around it.</summary>
    private const int MaxLayers = 4;

    /// <summary>The id of the outermost layer that has one, <c>task_id</c> before <c>id</c>; null if there is none.</summary>
    public static GenerationId? FindId(JsonElement body)
    {
        var layer = body.UnwrapJson();
        for (var count = 0; count < MaxLayers && layer.ValueKind is JsonValueKind.Object; count++)
        {
            if (GenerationId.TryParse(layer.Property("task_id").AsText() ?? layer.Property("id").AsText(), null, out var id))
            {
                return id;
            }

            var data = layer.Property("data").UnwrapJson();
            layer = data.ValueKind is JsonValueKind.Object ? data : layer.Property("output").UnwrapJson();
        }

        return null;
    }
}
