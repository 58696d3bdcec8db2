using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Generations;

/// <summary>The members of a stored generation that polling needs. Parsing stops at <c>created_at</c>, which the gateway writes before the large members.</summary>
/// <param name="State">The state.</param>
/// <param name="CreatedAt">When the upstream created it; null if the upstream did not say.</param>
internal readonly record struct GenerationSummary(GenerationState State, DateTimeOffset? CreatedAt)
{
    public bool IsFinal => State is GenerationState.Completed or GenerationState.Failed;

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
