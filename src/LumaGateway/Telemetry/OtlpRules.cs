using System.Globalization;
using Microsoft.Extensions.Options;

namespace LumaGateway.Telemetry;

/// <summary>The options type of <see cref="OtlpRules"/>. Nothing is bound to it.</summary>
internal sealed class OtlpSettings;

/// <summary>
/// Validates OpenTelemetry's variables. The OpenTelemetry SDK ignores invalid values, and then exports nothing, or to a default address.
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

        Require("OTEL_TRACES_SAMPLER_ARG", IsRatio, "must be a number from 0 to 1, such as 0.1");
        Require("OTEL_TRACES_SAMPLER", value => Samplers.Contains(value), $"must be one of {string.Join(", ", Samplers)}");
        return faults.Build();

        void Require(string key, Func<string, bool> isGood, string requirement)
        {
            if (environment[key] is { Length: > 0 } value && !isGood(value))
            {
                faults.AddError($"{key} {requirement}.");
            }
        }
    }

    /// <summary>Returns an error text for each variable with malformed headers.</summary>
    public static IEnumerable<string> HeaderFaultsOf(IConfiguration environment) => Signals
        .Select(static signal => $"{Prefix}{signal}HEADERS")
        .Where(key => environment[key] is { Length: > 0 } value && !AreHeaders(value))
        .Select(static key => $"{key} must be a list of name=value, separated by commas.");

    /// <summary>Decodes first, as the SDK does: an encoded comma separates too.</summary>
    private static bool AreHeaders(string value) =>
        Uri.UnescapeDataString(value).TrimEnd(',').Split(',').All(static header => header.IndexOf('=', StringComparison.Ordinal) > 0);

    private static bool IsRatio(string value) => double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1;

    private static bool IsAddress(string value) => Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https";
}
