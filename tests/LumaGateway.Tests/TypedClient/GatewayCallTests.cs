extern alias client;

using System.Net;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using client::LumaGateway.Client;
using LumaGateway.Tests.Assets;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using CreateGenerationRequest = client::LumaGateway.Contracts.CreateGenerationRequest;
using GenerationState = client::LumaGateway.Contracts.GenerationState;
using OutputRole = client::LumaGateway.Contracts.OutputRole;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The .NET client against the gateway, in one process.</summary>
public sealed class GatewayCallTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private static readonly JsonSerializerOptions SnakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("completed")]
    [InlineData("layering")]
    [InlineData("failed")]
    public async Task A_read_has_every_member_that_the_gateway_publishes(string fixture)
    {
        var sample = File.ReadAllText($"fixtures/agents/{fixture}.json");
        _gateway.With("Luma:Dialect", "agents").Upstream.AlwaysJson(sample);
        var id = JsonNode.Parse(sample)!["id"]!.GetValue<string>();
        using var tested = TestedClient.Of(_gateway);
        using var caller = _gateway.CreateCaller();

        var generation = await tested.Client.GetAsync(id, Cancelled);

        var published = await (await caller.SendGetAsync($"/generations/{id}")).Content.ReadAsStringAsync(Cancelled);
        Assert.Equal(published, JsonSerializer.Serialize(generation, SnakeCase));
    }

    [Fact]
    public async Task Outputs_have_role_and_layer_and_a_failure_says_whether_a_retry_helps()
    {
        _gateway.With("Luma:Dialect", "agents").Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(
            File.ReadAllText($"fixtures/agents/{request.RequestUri!.Segments[^1]}.json").Replace("d290f1ee-6c54-4b01-90e6-d701748f0852", request.RequestUri.Segments[^1], StringComparison.Ordinal))));
        using var tested = TestedClient.Of(_gateway);

        var layered = await tested.Client.GetAsync("layering", Cancelled);
        var failed = await tested.Client.GetAsync("failed", Cancelled);

        Assert.Equal([(OutputRole.Main, 0, "soft"), (OutputRole.Main, 1, "none")], layered.Outputs.Select(output => (output.Role!.Value, output.Layer!.Index!.Value, output.Layer.Alpha!)));
        Assert.Equal(("content_moderated", false), (failed.Failure!.Code, failed.Failure.Retryable!.Value));
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
        await Assert.ThrowsAsync<ArgumentException>(() => tested.Client.PurgeAsync(id, Cancelled));
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
    public async Task An_output_is_read_by_its_index()
    {
        await using var cdn = await Cdn.StartAsync();
        using var gateway = AssetGateway.For(cdn);
        gateway.Upstream.AlwaysJson(AssetGateway.Completed(cdn.Link()));
        using var tested = TestedClient.Of(gateway);
        var read = new MemoryStream();

        using var output = await tested.Client.OpenOutputAsync("g1", 0, null, Cancelled);
        await output.Content.CopyToAsync(read, Cancelled);

        Assert.Equal(Cdn.File, read.ToArray());
        Assert.Equal((0, 100_000L), (output.Offset, output.TotalLength!.Value));
        var problem = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.OpenOutputAsync("g1", 99, null, Cancelled));
        Assert.Equal("asset_not_found", problem.Code);
    }

    [Fact]
    public async Task A_ticket_opens_the_events_for_a_caller_without_a_key()
    {
        _gateway.With("Cors:AllowedOrigins:0", "https://app.example").Upstream.AlwaysJson(Samples.CompletedAs("g1"));
        using var tested = TestedClient.Of(_gateway);
        using var browser = _gateway.CreateCallerWithoutKey();

        var ticket = await tested.Client.CreateTicketAsync("g1", Cancelled);

        using var events = await browser.SendGetAsync($"/generations/g1/events?ticket={ticket.Ticket}");
        Assert.Equal(HttpStatusCode.OK, events.StatusCode);
        Assert.Equal(_gateway.Clock.GetUtcNow() + TimeSpan.FromMinutes(10), ticket.ExpiresAt);
    }

    [Fact]
    public async Task A_file_of_an_interim_generation_is_a_problem_with_retry_after_and_is_not_retried()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var tested = TestedClient.Of(_gateway);

        var problem = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.OpenAssetAsync("g1", AssetKind.LastFrame, null, Cancelled));

        Assert.Equal("generation_unfinished", problem.Code);
        Assert.NotNull(problem.RetryAfter);
    }

    [Fact]
    public async Task A_generation_is_created_and_deleted_and_what_the_upstream_cannot_express_is_a_problem_with_the_fields()
    {
        _gateway.With("Luma:Dialect", "dream-machine").Upstream
            .ThenJson("""{"id":"g1","state":"queued","request":{"prompt":"cat"}}""", HttpStatusCode.Created)
            .Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent)));
        using var tested = TestedClient.Of(_gateway);

        var created = await tested.Client.CreateAsync(new CreateGenerationRequest { Prompt = "cat", Duration = 5, Options = new JsonObject { ["dream-machine"] = new JsonObject { ["concepts"] = new JsonArray() } } }, Cancelled);
        await tested.Client.DeleteAsync(created.Id, Cancelled);
        var refused = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.CreateAsync(new CreateGenerationRequest { Prompt = "cat", Seed = 7 }, Cancelled));

        Assert.Equal(("g1", GenerationState.Queued, "cat"), (created.Id, created.State, created.Prompt));
        Assert.Equal([HttpMethod.Post, HttpMethod.Delete], _gateway.Upstream.Received.Select(request => request.Method));
        Assert.Equal(("unsupported_field", "seed"), (refused.Code, Assert.Single(refused.Problem!.Errors!).Key));
    }

    [Fact]
    public async Task A_create_runs_on_the_account_that_it_names_and_fails_if_the_gateway_does_not_have_it()
    {
        _gateway.WithAccounts(TestAccounts.Named("a", weight: 100), TestAccounts.Named("b")).Upstream
            .Always((request, _) => Task.FromResult(ScriptedUpstream.Json($$"""{"id":"of-{{request.RequestUri!.Host}}","state":"queued"}""", HttpStatusCode.Created)));
        using var tested = TestedClient.Of(_gateway);
        var request = new CreateGenerationRequest { Prompt = "cat" };

        var named = await tested.Client.CreateAsync(request, "order-1", "b", Cancelled);
        var chosen = await tested.Client.CreateAsync(request, "order-2", null, Cancelled);
        var repeated = await tested.Client.CreateAsync(request, "order-1", "a", Cancelled);
        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.CreateAsync(request, "order-3", "c", Cancelled));

        Assert.Equal(["of-b.test", "of-a.test", "of-b.test"], new[] { named, chosen, repeated }.Select(created => created.Id));
        Assert.Equal(("unknown_account", "order-3", 2), (fault.Code, fault.IdempotencyKey, _gateway.Upstream.RequestCount));
    }

    [Fact]
    public async Task A_purged_generation_is_read_from_the_upstream_again()
    {
        _gateway.Upstream.AlwaysJson(Samples.CompletedAs("g1"));
        using var tested = TestedClient.Of(_gateway);
        await tested.Client.GetAsync("g1", Cancelled);
        await tested.Client.GetAsync("g1", Cancelled);
        Assert.Equal(1, _gateway.Upstream.RequestCount);

        await tested.Client.PurgeAsync("g1", Cancelled);

        await tested.Client.GetAsync("g1", Cancelled);
        Assert.Equal(2, _gateway.Upstream.RequestCount);
        Assert.All(_gateway.Upstream.Received, request => Assert.Equal(HttpMethod.Get, request.Method));
    }

    [Fact]
    public async Task The_health_check_shows_a_gateway_that_is_ready_and_one_that_is_unreachable()
    {
        using var ready = TestedClient.Of(_gateway);
        using var gone = new TestedClient(new ScriptedUpstream().Always((_, _) => throw new HttpRequestException("refused")), _gateway.Clock);

        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(ready)).Status);
        Assert.Equal(HealthStatus.Unhealthy, (await CheckAsync(gone)).Status);

        static Task<HealthReport> CheckAsync(TestedClient tested) => tested.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancelled);
    }
}
