using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Telemetry;

/// <summary>Runs alone: spans that another gateway in this process samples would be exported here too.</summary>
[Collection(RunsAlone.Name)]
public sealed class SamplerTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public SamplerTests() => _gateway.With("OTEL_BSP_SCHEDULE_DELAY", "50").With("OTEL_METRIC_EXPORT_INTERVAL", "100");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task OTEL_TRACES_SAMPLER_sets_the_sampler()
    {
        await using var sink = await OtlpSink.StartAsync(grpc: false);
        _gateway
            .With("OTEL_EXPORTER_OTLP_ENDPOINT", sink.Address)
            .With("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .With("OTEL_TRACES_SAMPLER", "always_off");
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/generations/g1");
        await Poll.UntilAsync(() => sink.Has("metrics", "luma_gateway.cache.results"));

        Assert.DoesNotContain("traces", sink.Signals);
    }
}
