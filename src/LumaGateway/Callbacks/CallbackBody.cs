using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Callbacks;

/// <summary>Which generation a callback is about. Nothing else in it is looked at. Never throws: what cannot be decoded names none.</summary>
internal static class CallbackBody
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    public static GenerationId? IdIn(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Options);
            return IdIn(document.RootElement) ?? IdIn(document.RootElement.Property("data"));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static GenerationId? IdIn(JsonElement element) => IdOf(element.Property("id")) ?? IdOf(element.Property("task_id"));

    private static GenerationId? IdOf(JsonElement element) => GenerationId.TryParse(element.AsText(), null, out var id) ? id : null;
}
