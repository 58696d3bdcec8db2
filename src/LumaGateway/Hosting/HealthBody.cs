using System.Text.Json.Serialization;
using LumaGateway.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LumaGateway.Hosting;

/// <summary>The response of the health endpoints.</summary>
/// <param name="Status"><c>healthy</c>, <c>degraded</c> or <c>unhealthy</c>.</param>
/// <param name="Version">The gateway's version.</param>
/// <param name="Checks">Each dependency's state, by name. A dependency with several parts also has the state of each part, by <c>name:part</c>.</param>
internal sealed record HealthBody(string Status, string Version, IReadOnlyDictionary<string, string> Checks)
{
    /// <summary>Has names and states only: descriptions and exceptions may contain an address.</summary>
    public static HealthBody Of(HealthReport report) => new(
        NameOf(report.Status),
        Instrumentation.Version,
        report.Entries.SelectMany(static entry => StatesOf(entry.Key, entry.Value)).ToDictionary(static state => state.Name, static state => NameOf(state.Status)));

    private static IEnumerable<(string Name, HealthStatus Status)> StatesOf(string name, HealthReportEntry entry) =>
        [(name, entry.Status), .. entry.Data.Select(part => ($"{name}:{part.Key}", (HealthStatus)part.Value))];

    private static string NameOf(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthBody))]
internal sealed partial class HealthJson : JsonSerializerContext;
