extern alias client;

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using client::LumaGateway.Client;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using GenerationState = client::LumaGateway.Contracts.GenerationState;
using static LumaGateway.Tests.TypedClient.GatewayResponses;

namespace LumaGateway.Tests.TypedClient;

/// <summary>How the .NET client reads responses, and its spans, health check and options. Scripted responses, fake clock.</summary>
[Collection(RunsAlone.Name)]
public sealed class ResponseTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly ScriptedUpstream _gateway = new();
    private readonly TestClock _clock = new(new DateTimeOffset(2026, 4, 8, 12, 0, 0, TimeSpan.Zero));
    private readonly TestedClient _tested;

    public ResponseTests() => _tested = new TestedClient(_gateway, _clock);

    public void Dispose()
    {
        _tested.Dispose();
        _gateway.Dispose();
    }

    [Fact]
    public async Task The_page_of_a_proxy_and_a_body_of_another_shape_are_unexpected_responses()
    {
        _gateway.ThenJson("<html>", HttpStatusCode.Forbidden).ThenJson("[1]").ThenJson("{}");

        for (var i = 0; i < 3; i++)
        {
            var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _tested.Client.GetAsync("g1", Cancelled));
            Assert.Equal(LumaGatewayException.Unexpected, fault.Code);
        }
    }

    [Theory]
    [InlineData("""{"generations":[{"id":"g1","state":"queued"},{"id":"g2","problem":{"code":"generation_not_found"}}]}""")]
    [InlineData("""{"generations":[{"id":"g1","generation":{"id":"g1","state":"queued"},"problem":null},{"id":"g2","generation":null,"problem":{"code":"generation_not_found"}}]}""")]
    public async Task A_batch_is_read_in_both_shapes(string body)
    {
        _gateway.AlwaysJson(body);

        var results = await _tested.Client.GetManyAsync(["g1", "g2"], Cancelled);

        Assert.Equal([("g1", GenerationState.Queued, null), ("g2", null, "generation_not_found")], results.Select(one => (one.Id, one.Generation?.State, one.Problem?.Code)));
    }

    [Fact]
    public async Task A_generation_without_outputs_has_an_empty_list()
    {
        _gateway.AlwaysJson(GenerationOf("completed"));

        var generation = await _tested.Client.GetAsync("g1", Cancelled);

        Assert.Empty(generation.Outputs);
        Assert.False(generation.HasAsset);
    }

    [Theory]
    [InlineData(200, """{"status":"healthy"}""", HealthStatus.Healthy)]
    [InlineData(200, """{"status":"degraded"}""", HealthStatus.Degraded)]
    [InlineData(503, """{"status":"unhealthy"}""", HealthStatus.Unhealthy)]
    [InlineData(200, "<html>", HealthStatus.Unhealthy)]
    public async Task The_health_check_shows_the_state_of_the_gateway(int status, string body, HealthStatus expected)
    {
        _gateway.AlwaysJson(body, (HttpStatusCode)status);

        var report = await _tested.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancelled);

        Assert.Equal(expected, report.Status);
        Assert.Equal((1, "/health/ready"), (_gateway.RequestCount, _gateway.Received.First().Address.AbsolutePath));
    }

    [Fact]
    public async Task A_call_is_one_span_with_an_event_for_each_failed_attempt()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == LumaGatewayClient.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(503, "gateway_saturated", retryAfter: 1))).ThenJson(GenerationOf("completed")).ThenJson("{}", HttpStatusCode.NotFound);

        await _clock.UntilAsync(_tested.Client.GetAsync("traced", Cancelled));
        await Assert.ThrowsAsync<LumaGatewayException>(() => _tested.Client.GetAsync("traced", Cancelled));

        var own = spans.Where(span => span.GetTagItem("luma_gateway.generation.id") is "traced").ToList();
        Assert.Equal(["luma_gateway get", "luma_gateway get"], own.Select(span => span.OperationName));
        Assert.Equal("gateway_saturated", own[0].Events.Single().Tags.Single(tag => tag.Key is "error.type").Value);
        Assert.Equal((ActivityStatusCode.Unset, ActivityStatusCode.Error), (own[0].Status, own[1].Status));
    }

    [Theory]
    [InlineData("/relative", "key", "BaseAddress")]
    [InlineData("ftp://gateway.test", "key", "BaseAddress")]
    [InlineData("http://gateway.test", "two words", "Key")]
    public void Invalid_options_prevent_the_start_and_name_the_option(string address, string key, string named)
    {
        using var tested = new TestedClient(_gateway, _clock, options => (options.BaseAddress, options.Key) = (new Uri(address, UriKind.RelativeOrAbsolute), key));

        var failure = Assert.Throws<OptionsValidationException>(tested.Services.GetRequiredService<IStartupValidator>().Validate);

        Assert.Contains($"LumaGatewayClientOptions.{named}", Assert.Single(failure.Failures), StringComparison.Ordinal);
        Assert.DoesNotContain("two words", failure.Message, StringComparison.Ordinal);
    }
}
