using OpenTelemetry.Exporter;

namespace LumaGateway.Telemetry;

/// <summary>
/// OpenTelemetry's own variables, signal by signal: a signal leaves the process where its own endpoint or the common one is named, and no other
/// does. The library alone would send all three as soon as one is named, the others to a default address.
/// </summary>
internal sealed class OtlpVariables(IConfiguration environment, string signal)
{
    private const string Common = "OTEL_EXPORTER_OTLP";

    public bool NameEndpoint => Value("ENDPOINT") is not null || !string.IsNullOrEmpty(environment[$"{Common}_ENDPOINT"]);

    /// <summary>The common variables are in <paramref name="options"/> already; the signal's own outrank them.</summary>
    public void Apply(OtlpExporterOptions options)
    {
        if (Value("PROTOCOL") is { } protocol)
        {
            options.Protocol = protocol is "http/protobuf" ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        }

        if (Uri.TryCreate(Value("ENDPOINT"), UriKind.Absolute, out var endpoint)) // the start refuses any other
        {
            options.Endpoint = endpoint;
        }

        if (Value("HEADERS") is { } headers)
        {
            options.Headers = headers;
        }

        if (int.TryParse(Value("TIMEOUT"), out var milliseconds))
        {
            options.TimeoutMilliseconds = milliseconds;
        }
    }

    private string? Value(string name) => environment[$"{Common}_{signal}_{name}"] is { Length: > 0 } value ? value : null;
}
