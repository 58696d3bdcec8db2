using System.Text.Json.Serialization;

namespace LumaGateway.Client;

/// <summary>Serializes what the client sends: snake_case names, without null values. What it reads is read with the gateway's own contracts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CreateGenerationRequest))]
internal sealed partial class ClientJson : JsonSerializerContext;
