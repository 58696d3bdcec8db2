using OpenTelemetry.Exporter;

namespace LumaGateway.Telemetry;

/// <summary>
/// OpenTelemetry's variables for one signal. A signal is exported if its own endpoint or the common endpoint is set. The OpenTelemetry SDK would export all
/// signals if one endpoint is set, the others to a default address.
/// </summary>
internal sealed class OtlpVariables(IConfiguration environment, string signal)
{
    private const string Common = "OTEL_EXPORTER_OTLP";

    public bool HasEndpoint => Value("ENDPOINT") is not null || !string.IsNullOrEmpty(environment[$"{Common}_ENDPOINT"]);

    /// <summary>Applies the variables of the signal. <paramref name="options"/> already contains the common variables.</summary>
    public void Apply(OtlpExporterOptions options)
    {
        if (Value("PROTOCOL") is { } protocol)
        {
            options.Protocol = protocol is "http/protobuf" ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        }

        if (Uri.TryCreate(Value("ENDPOINT"), UriKind.Absolute, out var endpoint)) // OtlpRules rejects other values
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
