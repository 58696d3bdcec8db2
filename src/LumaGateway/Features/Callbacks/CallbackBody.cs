using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Features.Callbacks;

/// <summary>Which generation a callback is about. Nothing else in it is looked at.</summary>
internal static class CallbackBody
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    public static GenerationId? IdIn(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Options);
            return IdIn(document.RootElement) ?? (document.RootElement.ValueKind is JsonValueKind.Object && document.RootElement.TryGetProperty("data", out var data) ? IdIn(data) : null);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static GenerationId? IdIn(JsonElement element)
    {
        foreach (var name in element.ValueKind is JsonValueKind.Object ? new[] { "id", "task_id" } : [])
        {
            if (element.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String && GenerationId.TryParse(value.GetString(), null, out var id))
            {
                return id;
            }
        }

        return null;
    }
}
