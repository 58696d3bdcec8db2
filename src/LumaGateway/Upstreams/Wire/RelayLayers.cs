using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace LumaGateway.Upstreams.Wire;

/// <summary>The layers of a body of the relay family, without an allocation. <see cref="RelayReader"/> defines layer and envelope.</summary>
[InlineArray(MaxLayers)]
internal struct RelayLayers
{
    /// <summary>Three wrappers with a task in each, and the body.</summary>
    private const int MaxLayers = 7;

    private JsonElement _first;

    /// <summary>Collects the layers of a body, the outermost first. Throws if the root is not an object.</summary>
    [UnscopedRef]
    public Span<JsonElement> Fill(JsonElement root)
    {
        Span<JsonElement> layers = this;
        var count = 0;
        for (var layer = root; layer.ValueKind is JsonValueKind.Object; layer = InnerOf(layer))
        {
            layers[count++] = layer;
            if (count == layers.Length)
            {
                break;
            }
        }

        if (count == 0)
        {
            root.RequireObject();
        }

        return layers[..count];
    }

    /// <summary>Throws if an envelope reports an error. Returns the index of the first layer that is not an envelope.</summary>
    public static int RejectEnvelopes(ReadOnlySpan<JsonElement> layers)
    {
        var task = 0;
        for (; task + 1 < layers.Length && IsEnvelope(layers[task], layers[task + 1]); task++)
        {
            WireCode.RequireSuccess(HttpStatusCode.OK, layers[task].Property("code"));
            WireFailure.RejectError(layers[task]);
        }

        return task;
    }

    public static bool IsGiven(JsonElement id) =>
        id.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null) && !(id.ValueKind is JsonValueKind.String && id.ValueEquals(""));

    private static JsonElement InnerOf(JsonElement layer)
    {
        var data = layer.Property("data").UnwrapJson();
        return data.ValueKind is JsonValueKind.Object ? data : layer.Property("output").UnwrapJson();
    }

    // A wrapper may have an id and a status of its own, as a request has. They are not the task's.
    private static bool IsEnvelope(JsonElement layer, JsonElement inner) =>
        !IsGiven(layer.Property("task_id"))
        && (!IsGiven(layer.Property("id"))
            || (layer.Property("status").AsText() is null && layer.Property("state").AsText() is null && IsGiven(inner.Property("task_id"))));
}
