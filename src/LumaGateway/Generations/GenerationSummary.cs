using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Generations;

/// <summary>What waiting has to know of a generation, read from the head of a body that this service wrote: nothing after it is parsed.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="CreatedAt">When the upstream took it in, where it said so.</param>
internal readonly record struct GenerationSummary(GenerationState State, DateTimeOffset? CreatedAt)
{
    public bool IsTerminal => State is GenerationState.Completed or GenerationState.Failed;

    public static GenerationSummary Read(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        var summary = new GenerationSummary(GenerationState.Processing, null);
        reader.Read();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("state"u8))
            {
                reader.Read();
                summary = summary with { State = JsonSerializer.Deserialize(ref reader, ContractsJson.Web.GenerationState) };
            }
            else if (reader.ValueTextEquals("created_at"u8))
            {
                reader.Read();
                return summary with { CreatedAt = reader.TokenType is JsonTokenType.String && reader.TryGetDateTimeOffset(out var time) ? time : null };
            }
            else
            {
                reader.Skip();
            }
        }

        return summary;
    }
}
