using System.Text.Json.Serialization;

namespace LumaGateway.Hosting;

/// <summary>The response of the health endpoints.</summary>
/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Version">The gateway's version.</param>
/// <param name="Checks">Each dependency's state, by name.</param>
internal sealed record HealthBody(string Status, string Version, IReadOnlyDictionary<string, string> Checks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthBody))]
internal sealed partial class HealthJson : JsonSerializerContext;
