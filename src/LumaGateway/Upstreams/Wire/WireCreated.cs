using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Reads the id in the response to a create. Pure.</summary>
internal static class WireCreated
{
    /// <summary>As many wrappers as <see cref="RelayReader"/> reads.</summary>
    private const int MaxWrappers = 3;

    /// <summary>
    /// The id of the created generation: that of the outermost object with one, <c>task_id</c> before <c>id</c>. An <c>id</c> beside a wrapped task can be that of the
    /// request. Some relays send the id alone, as <c>data</c>. Null if there is none.
    /// </summary>
    public static GenerationId? FindId(JsonElement body)
    {
        var layer = body.UnwrapJson();
        for (var depth = 0; depth <= MaxWrappers; depth++)
        {
            var inner = InnerOf(layer);
            var hasTask = layer.Property("status").AsText() is not null || layer.Property("state").AsText() is not null;
            if ((IdIn(layer.Property("task_id")) ?? (hasTask || IdIn(inner.Property("task_id")) is null ? IdIn(layer.Property("id")) : null)) is { } id)
            {
                return id;
            }

            if (inner.ValueKind is not JsonValueKind.Object)
            {
                return IdIn(inner);
            }

            layer = inner;
        }

        return null;
    }

    private static JsonElement InnerOf(JsonElement layer)
    {
        var data = layer.Property("data").UnwrapJson();
        return data.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? layer.Property("output").UnwrapJson() : data;
    }

    private static GenerationId? IdIn(JsonElement element) =>
        element.ValueKind is JsonValueKind.String or JsonValueKind.Number && GenerationId.TryParse(element.AsText(), null, out var id) ? id : null;
}
