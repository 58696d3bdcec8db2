using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Apart from all others: a span that another gateway of this process has sampled is exported here too.</summary>
[Collection(RunsAlone.Name)]
public sealed class SamplerTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public SamplerTests() => _gateway.With("OTEL_BSP_SCHEDULE_DELAY", "50").With("OTEL_METRIC_EXPORT_INTERVAL", "100");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_sampler_is_the_one_that_OpenTelemetrys_variable_names()
    {
        await using var sink = await OtlpSink.StartAsync(grpc: false);
        _gateway
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", sink.Address)
            .With("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .With("OTEL_TRACES_SAMPLER", "always_off");
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.AskAsync("/generations/g1");
        await Pump.EventuallyAsync(() => sink.Has("metrics", "luma_gateway.cache.answers"));

        Assert.DoesNotContain("traces", sink.Signals);
    }
}
