using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.LongPolling;

/// <summary>New waits and streams of a generation that has ended, and whose poll target an older stream of several generations keeps. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class KeptTargetTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Luma:Retries", "0").With("Waiting:SlowAfter", "1.00:00:00");
    private readonly ConcurrentDictionary<string, Func<HttpResponseMessage>> _responses = new();

    public KeptTargetTests() => _gateway.Upstream.Always((request, _) =>
    {
        var id = request.RequestUri!.Segments[^1];
        return Task.FromResult(_responses.TryGetValue(id, out var respond) ? respond() : ScriptedUpstream.Json(Samples.Interim(id)));
    });

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("/generations/a")]
    [InlineData("/generations/a/events")]
    [InlineData("/generations/events?ids=a,c")]
    public async Task A_new_caller_gets_links_that_have_not_expired(string path)
    {
        _responses["a"] = () => ScriptedUpstream.Json(Samples.CompletedWithExpiry("a", _gateway.Clock.GetUtcNow().AddHours(1)));
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromMinutes(70));

        var generation = await ReadAsync(caller, path);

        Assert.Equal("completed", generation.GetProperty("state").GetString());
        Assert.True(generation.GetProperty("expires_at").GetDateTimeOffset() > _gateway.Clock.GetUtcNow());
    }

    [Fact]
    public async Task A_wait_with_expired_links_causes_one_upstream_request_for_all_callers()
    {
        _responses["a"] = () => ScriptedUpstream.Json(Samples.CompletedWithExpiry("a", _gateway.Clock.GetUtcNow().AddHours(1)));
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromMinutes(70));
        var before = RequestsFor("a");

        foreach (var reading in Enumerable.Range(0, 10).Select(_ => ReadAsync(caller, "/generations/a")).ToList())
        {
            await reading;
        }

        Assert.Equal(before + 1, RequestsFor("a"));
    }

    [Theory]
    [InlineData("/generations/a")]
    [InlineData("/generations/a/events")]
    [InlineData("/generations/events?ids=a,c")]
    public async Task A_new_caller_gets_the_link_that_appeared_after_the_completion(string path)
    {
        _responses["a"] = () => ScriptedUpstream.Json("""{"id":"a","state":"completed"}""");
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        _responses["a"] = () => ScriptedUpstream.Json(Samples.CompletedAs("a"));

        var generation = await ReadAsync(caller, path);

        Assert.True(generation.GetProperty("video").GetProperty("url").GetString() is { Length: > 0 });
    }

    [Fact]
    public async Task A_new_caller_gets_the_link_that_a_plain_read_has_returned()
    {
        _responses["a"] = () => ScriptedUpstream.Json("""{"id":"a","state":"completed"}""");
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(2.5)); // the state without a link is still recent enough for a wait
        _responses["a"] = () => ScriptedUpstream.Json(Samples.CompletedAs("a"));
        using var plain = await caller.SendGetAsync("/generations/a");

        using var events = await Events.OpenAsync(caller, "/generations/a/events");

        Assert.Equal(await plain.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), (await events.NextAsync())!.Data);
    }

    [Theory]
    [InlineData("/generations/a")]
    [InlineData("/generations/a/events")]
    [InlineData("/generations/events?ids=a,c")]
    public async Task A_generation_that_completed_without_a_link_does_not_become_interim(string path)
    {
        _responses["a"] = () => ScriptedUpstream.Json("""{"id":"a","state":"completed"}""");
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        _responses["a"] = () => ScriptedUpstream.Json(Samples.Interim("a"));

        Assert.Equal("completed", (await ReadAsync(caller, path)).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("/generations/a")]
    [InlineData("/generations/a/events")]
    [InlineData("/generations/events?ids=a,c")]
    public async Task A_new_caller_gets_the_stale_entry_if_the_upstream_fails(string path)
    {
        _responses["a"] = () => ScriptedUpstream.Json(Samples.CompletedWithExpiry("a", _gateway.Clock.GetUtcNow().AddHours(1)));
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromMinutes(70));
        _responses["a"] = () => ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError);

        Assert.Equal("completed", (await ReadAsync(caller, path)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_wait_gets_the_completed_state_without_a_link_if_the_upstream_fails()
    {
        _responses["a"] = () => ScriptedUpstream.Json("""{"id":"a","state":"completed"}""");
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        _responses["a"] = () => ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError);

        var generation = await ReadAsync(caller, "/generations/a");

        Assert.Equal("completed", generation.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_new_caller_gets_404_if_the_upstream_no_longer_knows_the_generation()
    {
        _responses["a"] = () => ScriptedUpstream.Json(Samples.CompletedWithExpiry("a", _gateway.Clock.GetUtcNow().AddHours(1)));
        using var caller = _gateway.CreateCaller();
        using var keeping = await KeepAsync(caller);
        _gateway.Clock.Advance(TimeSpan.FromMinutes(70));
        _responses["a"] = () => ScriptedUpstream.Json("{}", HttpStatusCode.NotFound);

        using var waiting = await SendAsync(caller, "/generations/a");
        using var streaming = await SendAsync(caller, "/generations/a/events");

        await waiting.ProblemAsync(404, "generation_not_found");
        await streaming.ProblemAsync(404, "generation_not_found");
    }

    /// <summary>Opens a stream of the generations <c>a</c>, which has ended, and <c>b</c>, which has not.</summary>
    private static async Task<Events> KeepAsync(HttpClient caller)
    {
        var events = await Events.OpenAsync(caller, "/generations/events?ids=a,b");
        await events.NextAsync();
        await events.NextAsync();
        return events;
    }

    /// <summary>The generation <c>a</c> in the response to a long poll, or in the first event about it in a stream.</summary>
    private static async Task<JsonElement> ReadAsync(HttpClient caller, string path)
    {
        using var response = await SendAsync(caller, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        if (!path.Contains("events", StringComparison.Ordinal))
        {
            return await response.JsonAsync();
        }

        using var events = new Events(response);
        while (await events.NextAsync() is { } next)
        {
            if (next.Subject == "a")
            {
                return JsonDocument.Parse(next.Data!).RootElement;
            }
        }

        throw new InvalidOperationException("The stream has no event about the generation.");
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient caller, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Prefer", "wait=10" } } };
        return await caller.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    private int RequestsFor(string id) => _gateway.Upstream.Received.Count(request => request.Address.Segments[^1] == id);
}
