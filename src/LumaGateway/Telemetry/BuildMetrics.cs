using System.Diagnostics.Metrics;

namespace LumaGateway.Telemetry;

/// <summary>The version of the gateway and of .NET, and the start time.</summary>
internal sealed class BuildMetrics : IGatewayMetrics
{
    public BuildMetrics(IMeterFactory meters, TimeProvider clock)
    {
        var meter = meters.Create(Instrumentation.Name);
        var started = clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
        var build = new Measurement<int>(
            1,
            new KeyValuePair<string, object?>("luma_gateway.build.version", Instrumentation.Version),
            new KeyValuePair<string, object?>("luma_gateway.build.runtime", Environment.Version.ToString()));
        meter.CreateObservableGauge("luma_gateway.build.info", () => build, "{build}", "Always 1; the attributes are the versions of the gateway and of .NET.");
        meter.CreateObservableGauge("luma_gateway.start.time", () => started, "s", "The start time of this process in seconds since 1970.");
    }

    public void Initialize()
    {
        // Observable gauges need no initial value.
    }
}
