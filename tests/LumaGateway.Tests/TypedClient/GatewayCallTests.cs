extern alias client;

using System.Net;
using System.Net.Http.Headers;
using client::LumaGateway.Client;
using LumaGateway.Tests.Assets;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using GenerationState = client::LumaGateway.Contracts.GenerationState;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The .NET client against the gateway, in one process.</summary>
public sealed class GatewayCallTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_read_has_every_member_of_the_contract()
    {
        _gateway.Upstream.AlwaysJson(Samples.Completed);
        using var tested = TestedClient.Of(_gateway);
        using var caller = _gateway.CreateCaller();

        var generation = await tested.Client.GetAsync(Samples.CompletedId, Cancelled);

        var published = await (await caller.SendGetAsync($"/generations/{Samples.CompletedId}")).JsonAsync();
        Assert.Equal(GenerationState.Completed, generation.State);
        Assert.Equal(published.GetProperty("created_at").GetDateTimeOffset(), generation.CreatedAt);
        Assert.Equal(published.GetProperty("prompt").GetString(), generation.Prompt);
        Assert.Equal(published.GetProperty("video").GetProperty("url").GetString(), generation.Video!.Url);
        Assert.Equal(published.GetProperty("video").GetProperty("duration").GetDouble(), generation.Video.Duration);
        Assert.Equal(published.GetProperty("last_frame").GetProperty("width").GetInt32(), generation.LastFrame!.Width);
    }

    [Fact]
    public async Task A_problem_is_an_exception_with_code_status_and_request_id()
    {
        _gateway.Upstream.AlwaysJson("{}", HttpStatusCode.NotFound);
        using var tested = TestedClient.Of(_gateway);

        var problem = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.GetAsync("unknown", Cancelled));

        Assert.Equal(("generation_not_found", HttpStatusCode.NotFound, false), (problem.Code, problem.Status!.Value, problem.IsTransient));
        Assert.Equal(problem.Problem!.RequestId, problem.RequestId);
        Assert.NotEmpty(problem.RequestId!);
    }

    [Fact]
    public async Task A_wrong_key_is_a_401()
    {
        using var tested = TestedClient.Of(_gateway, options => options.Key = "another");

        var problem = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.GetAsync("g1", Cancelled));

        Assert.Equal(("unauthenticated", HttpStatusCode.Unauthorized), (problem.Code, problem.Status!.Value));
        Assert.DoesNotContain("another", problem.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("")]
    public async Task A_malformed_id_is_never_sent(string id)
    {
        using var tested = TestedClient.Of(_gateway);

        await Assert.ThrowsAsync<ArgumentException>(() => tested.Client.GetAsync(id, Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(() => tested.Client.GetManyAsync([id], Cancelled));
        await Assert.ThrowsAsync<ArgumentException>(() => tested.Client.DeleteAsync(id, Cancelled));
    }

    [Fact]
    public async Task A_batch_has_a_generation_or_a_problem_for_each_id_once_and_is_sent_in_parts()
    {
        _gateway.Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.Segments[^1] is "gone"
            ? ScriptedUpstream.Json("{}", HttpStatusCode.NotFound)
            : ScriptedUpstream.Json(Samples.CompletedAs(request.RequestUri.Segments[^1]))));
        using var tested = TestedClient.Of(_gateway);
        var ids = Enumerable.Range(0, 60).Select(i => $"g{i}").Append("gone").ToList();

        var results = await tested.Client.GetManyAsync([.. ids, "g1"], Cancelled);

        Assert.Equal(ids, results.Select(result => result.Id));
        Assert.All(results.SkipLast(1), result => Assert.Equal(result.Id, result.Generation?.Id));
        Assert.Equal((null, "generation_not_found"), (results[^1].Generation, results[^1].Problem?.Code));
    }

    [Fact]
    public async Task A_range_of_a_video_is_read()
    {
        await using var cdn = await Cdn.StartAsync();
        using var gateway = AssetGateway.For(cdn);
        gateway.Upstream.AlwaysJson(AssetGateway.Completed(cdn.Link()));
        using var tested = TestedClient.Of(gateway);
        var read = new MemoryStream();

        using var asset = await tested.Client.OpenAssetAsync("g1", AssetKind.Video, new RangeHeaderValue(1000, 1999), Cancelled);
        await asset.Content.CopyToAsync(read, Cancelled);

        Assert.Equal(Cdn.File[1000..2000], read.ToArray());
        Assert.Equal((1000, 1000L, 100_000L, "video/mp4"), (asset.Offset, asset.Length!.Value, asset.TotalLength!.Value, asset.MediaType));
    }

    [Fact]
    public async Task A_file_of_an_unfinished_generation_is_a_problem_with_retry_after_and_is_not_retried()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var tested = TestedClient.Of(_gateway);

        var problem = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.OpenAssetAsync("g1", AssetKind.LastFrame, null, Cancelled));

        Assert.Equal("generation_unfinished", problem.Code);
        Assert.NotNull(problem.RetryAfter);
    }

    [Fact]
    public async Task The_health_check_shows_a_ready_and_an_unreachable_gateway()
    {
        using var ready = TestedClient.Of(_gateway);
        using var gone = new TestedClient(new ScriptedUpstream().Always((_, _) => throw new HttpRequestException("refused")), _gateway.Clock);

        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(ready)).Status);
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(gone)).Status);

        static Task<HealthReport> CheckAsync(TestedClient tested) => tested.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancelled);
    }
}
