using Microsoft.Extensions.Options;

namespace LumaGateway.Telemetry;

/// <summary>Stands for OpenTelemetry's own variables. Nothing is bound to it.</summary>
internal sealed class OtlpSettings;

/// <summary>
/// Whether OpenTelemetry's variables can be used. Its library passes over what it cannot read, and then exports nothing, or elsewhere, without a word.
/// </summary>
internal sealed class OtlpRules(IConfiguration environment) : IValidateOptions<OtlpSettings>
{
    private const string Prefix = "OTEL_EXPORTER_OTLP_";

    private static readonly string[] Signals = ["", "TRACES_", "METRICS_", "LOGS_"];

    private static readonly string[] Protocols = ["grpc", "http/protobuf"];

    private static readonly string[] Samplers =
        ["always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"];

    public ValidateOptionsResult Validate(string? name, OtlpSettings options)
    {
        var faults = new ValidateOptionsResultBuilder();
        foreach (var signal in Signals)
        {
            Require($"{Prefix}{signal}ENDPOINT", IsAddress, "must be an absolute http(s) address, such as http://collector:4317");
            Require($"{Prefix}{signal}PROTOCOL", value => Protocols.Contains(value), $"must be one of {string.Join(", ", Protocols)}");
            Require($"{Prefix}{signal}TIMEOUT", value => int.TryParse(value, out var milliseconds) && milliseconds > 0, "must be a number of milliseconds, such as 10000");
        }

        Require("OTEL_TRACES_SAMPLER", value => Samplers.Contains(value), $"must be one of {string.Join(", ", Samplers)}");
        return faults.Build();

        void Require(string key, Func<string, bool> isGood, string otherwise)
        {
            if (environment[key] is { Length: > 0 } value && !isGood(value))
            {
                faults.AddError($"{key} {otherwise}.");
            }
        }
    }

    private static bool IsAddress(string value) => Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https";
}
