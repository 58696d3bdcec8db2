using System.Net;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Generations;

public sealed class GenerationReadTests : IDisposable
{
    private const string Path = $"/generations/{Samples.CompletedId}";

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_documented_sample_becomes_the_published_generation()
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync(Path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Header("Content-Type"));
        var expected = JsonDocument.Parse(await File.ReadAllTextAsync("fixtures/relay/completed.expected.json", TestContext.Current.CancellationToken));
        Assert.True(JsonElement.DeepEquals(expected.RootElement, await response.JsonAsync()));
    }

    [Fact]
    public async Task The_upstream_gets_its_token_and_no_credentials_of_the_caller()
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("Cookie", "session=1");
        caller.DefaultRequestHeaders.Add("X-Forwarded-For", "10.0.0.1");
        caller.DefaultRequestHeaders.Add("baggage", "user=me");
        caller.DefaultRequestHeaders.Add("X-Request-Id", "caller-1");

        using var response = await caller.SendGetAsync(Path);

        var received = Assert.Single(_gateway.Upstream.Received);
        Assert.Equal($"http://upstream.test/luma/generations/{Samples.CompletedId}", received.Address.AbsoluteUri);
        Assert.Equal($"Bearer {Gateway.Token}", received.Headers["Authorization"]);
        Assert.Equal("application/json", received.Headers["Accept"]);
        Assert.Equal("caller-1", received.Headers["X-Request-Id"]);
        Assert.Equal(["accept", "accept-encoding", "authorization", "user-agent", "x-request-id"], received.Headers.Keys.Select(name => name.ToLowerInvariant()).Order());
        Assert.Equal("caller-1", response.Header("X-Request-Id"));
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("")]
    [InlineData("ümlaut")]
    public async Task An_invalid_request_id_is_replaced(string sent)
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.TryAddWithoutValidation("X-Request-Id", sent);

        using var response = await caller.SendGetAsync(Path);

        Assert.NotEqual(sent, response.Header("X-Request-Id"));
        Assert.NotEqual("", response.Header("X-Request-Id"));
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public async Task An_X_Request_Id_of_at_most_128_characters_is_kept(int length, bool isKept)
    {
        var sent = new string('~', length);
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("X-Request-Id", sent);

        using var response = await caller.SendGetAsync(Path);

        Assert.Equal(isKept, response.Header("X-Request-Id") == sent);
        Assert.Equal(response.Header("X-Request-Id"), Assert.Single(_gateway.Upstream.Received).Headers["X-Request-Id"]);
    }

    [Fact]
    public async Task A_thousand_reads_of_a_completed_generation_cause_one_upstream_request()
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();

        var responses = await Task.WhenAll(Enumerable.Range(0, 1000).Select(async _ =>
        {
            using var response = await caller.SendGetAsync(Path);
            return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }));

        Assert.Equal(1, _gateway.Upstream.RequestCount);
        Assert.Equal(HttpStatusCode.OK, Assert.Single(responses.Distinct()).StatusCode);
    }

    [Fact]
    public async Task The_first_read_is_a_miss_and_the_second_a_hit_with_its_time_to_live()
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync(Path);
        _gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        using var second = await caller.SendGetAsync(Path);

        Assert.Equal("LumaGateway; fwd=miss; stored", first.Header("Cache-Status"));
        Assert.Equal("private, max-age=86400", first.Header("Cache-Control"));
        Assert.Equal("LumaGateway; hit; ttl=86340", second.Header("Cache-Status"));
        Assert.Equal("private, max-age=86340", second.Header("Cache-Control"));
        Assert.Equal("", second.Header("Retry-After"));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task A_matching_ETag_gets_304(string method)
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync(Path);
        var etag = first.Header("ETag");

        foreach (var sent in new[] { etag, "*", $"\"other\", {etag}", $"W/{etag}" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), Path);
            request.Headers.TryAddWithoutValidation("If-None-Match", sent);
            using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

            Assert.Equal(HttpStatusCode.NotModified, response.StatusCode);
            Assert.Equal(etag, response.Header("ETag"));
            Assert.Equal("", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        using var other = new HttpRequestMessage(new HttpMethod(method), Path);
        other.Headers.TryAddWithoutValidation("If-None-Match", "\"other\"");
        using var full = await caller.SendAsync(other, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, full.StatusCode);
    }

    [Fact]
    public async Task Head_gets_the_headers_of_get_without_the_body()
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        using var got = await caller.SendGetAsync(Path);

        using var request = new HttpRequestMessage(HttpMethod.Head, Path);
        using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(got.Header("ETag"), response.Header("ETag"));
        Assert.Equal(got.Header("Content-Length"), response.Header("Content-Length"));
        Assert.Equal("", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_interim_generation_is_fetched_again_after_one_to_two_seconds()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1", "pending")).ThenJson(Samples.Interim("g1", "dreaming"));
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(900));
        using var second = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromMilliseconds(1200));
        using var third = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("queued", (await second.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal("processing", (await third.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal("private, no-cache", first.Header("Cache-Control"));
        Assert.InRange(int.Parse(first.Header("Retry-After"), null), 1, 3);
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_generation_with_signed_links_is_fetched_again_before_they_expire()
    {
        var expiry = _gateway.Clock.GetUtcNow() + TimeSpan.FromHours(1);
        _gateway.Upstream.ThenJson(Samples.CompletedWithExpiry("g1", expiry)).ThenJson(Samples.CompletedWithExpiry("g1", expiry + TimeSpan.FromHours(1)));
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromMinutes(50));
        using var second = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("private, max-age=3000", first.Header("Cache-Control"));
        Assert.Equal("2026-04-08T13:10:00Z", (await first.JsonAsync()).GetProperty("expires_at").GetString());
        Assert.Equal("2026-04-08T14:10:00Z", (await second.JsonAsync()).GetProperty("expires_at").GetString());
    }

    [Theory]
    [InlineData("a%2F..%2Fb")]
    [InlineData("a%20b")]
    [InlineData("%C3%BC")]
    [InlineData("a:b")]
    [InlineData("a%25b")]
    [InlineData("concepts")]
    [InlineData("257")]
    public async Task A_malformed_id_gets_400_with_the_rule_and_no_upstream_request(string id)
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync($"/generations/{(id == "257" ? new string('a', 257) : id)}");

        var problem = await response.ProblemAsync(400, "invalid_id");
        Assert.Contains("1 to 256 characters", problem.GetProperty("detail").GetString()!, StringComparison.Ordinal);
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("256")]
    [InlineData("task.v2~a-b_c==")]
    [InlineData("...")]
    [InlineData(".a..b")]
    public async Task An_id_of_another_relay_is_valid_and_reaches_the_upstream_unchanged(string text)
    {
        var id = text == "256" ? new string('a', 256) : text;
        _gateway.Upstream.ThenJson(Samples.CompletedAs(id));
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync($"/generations/{id}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.EndsWith($"/generations/{id}", _gateway.Upstream.Received.Single().Address.AbsoluteUri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Spellings_of_a_UUID_share_one_fetch_and_one_entry()
    {
        const string Id = "4665a07c-7641-4809-a133-10786201bb56";
        _gateway.Upstream.ThenJson(Samples.CompletedAs(Id.ToUpperInvariant()));
        using var caller = _gateway.CreateCaller();

        using var upper = await caller.SendGetAsync($"/generations/{Id.ToUpperInvariant()}");
        using var lower = await caller.SendGetAsync($"/generations/{Id}");
        using var batch = await caller.SendGetAsync($"/generations?ids={Id},{Id.ToUpperInvariant()}");

        Assert.Equal(Id, (await upper.JsonAsync()).GetProperty("id").GetString());
        Assert.Equal(Id, (await lower.JsonAsync()).GetProperty("id").GetString());
        Assert.Single((await batch.JsonAsync()).GetProperty("generations").EnumerateArray());
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_404_is_cached_for_at_most_two_seconds()
    {
        _gateway.Upstream.ThenJson("{}", HttpStatusCode.NotFound).ThenJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();

        using var first = await caller.SendGetAsync("/generations/g1");
        using var second = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        using var third = await caller.SendGetAsync("/generations/g1");

        await first.ProblemAsync(404, "generation_not_found");
        await second.ProblemAsync(404, "generation_not_found");
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_stale_entry_is_refreshed_in_the_background_when_the_upstream_recovers()
    {
        _gateway.With("Luma:Retries", "0");
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).ThenThrow(new HttpRequestException("refused")).ThenJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromHours(2));
        using var stale = await caller.SendGetAsync("/generations/g1");
        using var still = await caller.SendGetAsync("/generations/g1");
        Assert.Equal(2, _gateway.Upstream.RequestCount);

        _gateway.Clock.Advance(TimeSpan.FromSeconds(3));
        using var served = await caller.SendGetAsync("/generations/g1");
        await _gateway.Upstream.WaitForRequestsAsync(3);

        Assert.Contains("detail=upstream_unreachable", stale.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.Contains("detail=upstream_unreachable", still.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.Contains("detail=upstream_unreachable", served.Header("Cache-Status"), StringComparison.Ordinal);
        await Poll.UntilAsync(async () => await CacheStatusAsync(caller) == "LumaGateway; hit; ttl=3600");
    }

    [Fact]
    public async Task A_stale_entry_is_served_over_a_slow_upstream_whose_late_response_is_stored()
    {
        var slow = new TaskCompletionSource<HttpResponseMessage>();
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).Then((_, _) => slow.Task);
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromHours(2));
        var reading = caller.SendGetAsync("/generations/g1");
        await _gateway.Upstream.WaitForRequestsAsync(2);

        _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
        using var stale = await reading;
        using var next = await caller.SendGetAsync("/generations/g1");

        Assert.Matches("^LumaGateway; hit; ttl=-[0-9]+; detail=upstream_timed_out$", stale.Header("Cache-Status"));
        Assert.Equal(stale.Header("Cache-Status"), next.Header("Cache-Status"));
        slow.SetResult(ScriptedUpstream.Json(Samples.Failed("g1")));
        await Poll.UntilAsync(async () => await CacheStatusAsync(caller) == "LumaGateway; hit; ttl=3600");
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_404_replaces_a_stale_final_generation()
    {
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).ThenJson("{}", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromHours(2));

        using var second = await caller.SendGetAsync("/generations/g1");

        await second.ProblemAsync(404, "generation_not_found");
    }

    [Fact]
    public async Task Refresh_ahead_sends_one_request_and_no_caller_waits_for_it()
    {
        var refreshed = new TaskCompletionSource<HttpResponseMessage>();
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).Then((_, _) => refreshed.Task);
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromMinutes(59.5));

        using var second = await caller.SendGetAsync("/generations/g1");
        using var third = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("LumaGateway; hit; ttl=30", second.Header("Cache-Status"));
        Assert.Equal("LumaGateway; hit; ttl=30", third.Header("Cache-Status"));
        await _gateway.Upstream.WaitForRequestsAsync(2);
        refreshed.SetResult(ScriptedUpstream.Json(Samples.Failed("g1")));
        await Poll.UntilAsync(async () => await CacheStatusAsync(caller) == "LumaGateway; hit; ttl=3600");
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task An_interim_response_does_not_replace_a_final_entry()
    {
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).ThenJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromHours(2));

        using var second = await caller.SendGetAsync("/generations/g1");

        Assert.Equal("failed", (await second.JsonAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Concurrent_reads_share_one_fetch_even_if_the_first_caller_disconnects()
    {
        var upstreamResponse = new TaskCompletionSource<HttpResponseMessage>();
        _gateway.Upstream.Then((_, _) => upstreamResponse.Task);
        using var caller = _gateway.CreateCaller();
        using var disconnect = new CancellationTokenSource();
        var first = caller.GetAsync(Path, disconnect.Token);
        await _gateway.Upstream.WaitForRequestsAsync(1);

        var second = caller.SendGetAsync(Path);
        await _gateway.PendingRequests.WaitForAsync(2);
        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        upstreamResponse.SetResult(ScriptedUpstream.Json(Samples.Completed));
        using var response = await second;

        Assert.Equal("LumaGateway; fwd=miss; collapsed", response.Header("Cache-Status"));
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task Concurrent_reads_share_one_fault_and_the_next_read_fetches_again()
    {
        var upstreamResponse = new TaskCompletionSource<HttpResponseMessage>();
        _gateway.Upstream.Then((_, _) => upstreamResponse.Task).ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        using var ready = await caller.SendGetAsync("/health/live");
        var waiting = Enumerable.Range(0, 20).Select(_ => caller.SendGetAsync(Path)).ToList();
        await _gateway.PendingRequests.WaitForAsync(20);
        upstreamResponse.SetResult(ScriptedUpstream.Json("{}", HttpStatusCode.BadRequest));

        foreach (var response in await Task.WhenAll(waiting))
        {
            await response.ProblemAsync(502, "upstream_rejected");
        }

        using var next = await caller.SendGetAsync(Path);
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task After_a_purge_the_next_read_fetches_again_and_an_earlier_fetch_is_not_stored()
    {
        var late = new TaskCompletionSource<HttpResponseMessage>();
        _gateway.Upstream.Then((_, _) => late.Task).ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        var before = caller.SendGetAsync(Path);
        await _gateway.Upstream.WaitForRequestsAsync(1);

        using var purged = await caller.DeleteAsync($"{Path}/cache", TestContext.Current.CancellationToken);
        late.SetResult(ScriptedUpstream.Json(Samples.Completed));
        using var old = await before;
        using var after = await caller.SendGetAsync(Path);

        Assert.Equal(HttpStatusCode.NoContent, purged.StatusCode);
        Assert.Equal(HttpStatusCode.OK, old.StatusCode);
        Assert.Equal("LumaGateway; fwd=miss; stored", after.Header("Cache-Status"));
        Assert.Equal(2, _gateway.Upstream.RequestCount);
    }

    private static async Task<string> CacheStatusAsync(HttpClient caller)
    {
        using var response = await caller.SendGetAsync("/generations/g1");
        return response.Header("Cache-Status");
    }
}
