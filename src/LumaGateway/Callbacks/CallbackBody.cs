using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Upstreams.Wire;

namespace LumaGateway.Callbacks;

/// <summary>Reads the generation id from a callback, and nothing else. Returns null for a body that it cannot read; does not throw.</summary>
internal static class CallbackBody
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    public static GenerationId? ReadId(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Options);
            return ReadId(document.RootElement) ?? ReadId(document.RootElement.Property("data"));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static GenerationId? ReadId(JsonElement element) => ParseId(element.Property("id")) ?? ParseId(element.Property("task_id"));

    private static GenerationId? ParseId(JsonElement element) => GenerationId.TryParse(element.AsText(), null, out var id) ? id : null;
}
