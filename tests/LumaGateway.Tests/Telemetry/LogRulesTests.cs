using LumaGateway.Telemetry;
using Microsoft.Extensions.Configuration;

namespace LumaGateway.Tests.Telemetry;

/// <summary>The settings that are validated before the application is built.</summary>
public sealed class LogRulesTests
{
    [Theory]
    [InlineData("Logging:LogLevel:Default", "CANARY")]
    [InlineData("Logging:LogLevel:Microsoft.AspNetCore", "Verbose")]
    [InlineData("Logging:Console:LogLevel:Default", "Infoo")]
    [InlineData("Logging:Console:FormatterName", "jsom")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "CANARY")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "a=b,CANARY")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "=CANARY")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a=b%2CCANARY")]
    public void A_wrong_setting_of_the_log_is_reported_with_its_key_and_without_its_value(string key, string value)
    {
        var fault = Assert.Single(FaultsOf(key, value));

        Assert.StartsWith($"{key} must be ", fault, StringComparison.Ordinal);
        Assert.DoesNotContain(value, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default", "information")]
    [InlineData("Logging:LogLevel:Default", "2")]
    [InlineData("Logging:LogLevel:Default", "")]
    [InlineData("Logging:Console:LogLevel:Default", "None")]
    [InlineData("Logging:Console:FormatterName", "JSON")]
    [InlineData("Logging:AccessLog", "All")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20a=,x-scope=b")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "a=b,")]
    public void A_usable_setting_of_the_log_is_accepted(string key, string value) => Assert.Empty(FaultsOf(key, value));

    private static List<string> FaultsOf(string key, string value) =>
        LogRules.FaultsOf(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build());
}
