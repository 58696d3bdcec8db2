using System.Diagnostics.Metrics;

namespace LumaGateway.Telemetry;

/// <summary>Says what runs: one series whose value is always 1, and when it started.</summary>
internal sealed class BuildMetrics : ISeries
{
    public BuildMetrics(IMeterFactory meters, TimeProvider clock)
    {
        var meter = meters.Create(Instrumentation.Name);
        var started = clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        var build = new Measurement<int>(
            1,
            new KeyValuePair<string, object?>("luma_gateway.build.version", Instrumentation.Version),
            new KeyValuePair<string, object?>("luma_gateway.build.runtime", Environment.Version.ToString()));
        meter.CreateObservableGauge("luma_gateway.build.info", () => build, "{build}", "Always 1; its attributes say which version runs, and on what.");
        meter.CreateObservableGauge("luma_gateway.start.time", () => started, "s", "When this process began, in seconds since 1970.");
    }

    public void Begin()
    {
        // Gauges are there by themselves.
    }
}
