using System.Text.Json.Serialization;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>Serializes the bodies of requests: snake_case names, without null values. Responses are deserialized with the gateway's own contracts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CreateGenerationRequest))]
internal sealed partial class ClientJson : JsonSerializerContext;
