using System.Collections.Concurrent;
using System.Net;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LumaGateway.Tests.LongPolling;

[Collection(RunsAlone.Name)]
public sealed class EventStreamTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Each_state_change_is_one_event_and_the_final_state_ends_the_stream()
    {
        _gateway.Upstream
            .ThenJson(Samples.Interim("g1", "pending")).ThenJson(Samples.Interim("g1", "pending"))
            .ThenJson(Samples.Interim("g1")).ThenJson(Samples.Interim("g1"))
            .AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal("text/event-stream", events.Response.Header("Content-Type"));
        Assert.Equal("no-store", events.Response.Header("Cache-Control"));
        Assert.Equal(["queued", "processing", "completed"], all.Select(sent => sent.State));
        Assert.All(all, one => Assert.Equal("generation", one.Kind));
        using var plain = await caller.SendGetAsync("/generations/g1");
        Assert.Equal("c", all[^1].Id);
        Assert.Equal(await plain.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), all[^1].Data);
    }

    [Theory]
    [InlineData("/generations/g1/events")]
    [InlineData("/generations/events?ids=g1,g2")]
    public async Task A_new_stream_gets_the_final_state_as_soon_as_memory_has_it(string path)
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        using var earlier = await Events.OpenAsync(caller, "/generations/g1/events");
        Assert.Equal("processing", (await earlier.NextAsync())!.State);
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        var now = _gateway.Clock.GetUtcNow();
        var body = """{"id":"g1","state":"completed"}"""u8.ToArray();

        await cache.PutAsync(new CacheEntry(GenerationId.Parse("g1", null), EntryKind.Final, body, now, now.AddHours(1), now.AddHours(2)), cache.Purges);
        using var plain = await caller.SendGetAsync("/generations/g1");
        using var later = await Events.OpenAsync(caller, path);

        Assert.Equal("completed", (await plain.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal("completed", (await later.NextAsync())!.State);
        Assert.Equal("completed", (await earlier.NextAsync())!.State);
    }

    [Fact]
    public async Task Reconnecting_with_the_final_events_id_gets_204()
    {
        _gateway.Upstream.AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        var last = Assert.Single(await events.RestAsync());

        using var again = await Events.OpenAsync(caller, "/generations/g1/events", last.Id);

        Assert.Equal(HttpStatusCode.NoContent, again.Response.StatusCode);
    }

    [Theory]
    [InlineData("/generations/g1/events")]
    [InlineData("/generations/events?ids=g1,g2")]
    public async Task Reconnecting_with_the_final_events_id_gets_204_even_if_the_links_are_newer(string path)
    {
        var signed = 0;
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(
            Samples.CompletedWithExpiry(request.RequestUri!.Segments[^1], _gateway.Clock.GetUtcNow().AddMinutes(11)).Replace("Signature=00", $"Signature={signed++:00}", StringComparison.Ordinal))));
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, path);
        var last = (await events.RestAsync())[^1];
        _gateway.Clock.Advance(TimeSpan.FromMinutes(5)); // the entry expires and is fetched again

        using var again = await Events.OpenAsync(caller, path, last.Id);

        Assert.Equal(HttpStatusCode.NoContent, again.Response.StatusCode);
    }

    [Fact]
    public async Task Reconnecting_with_the_final_events_id_gets_204_also_from_a_replica_that_knows_an_older_state()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        using var older = await Events.OpenAsync(caller, "/generations/g1/events");
        Assert.Equal("processing", (await older.NextAsync())!.State);

        using var again = await _gateway.Clock.UntilAsync(Events.OpenAsync(caller, "/generations/g1/events", "c"));

        Assert.Equal(HttpStatusCode.NoContent, again.Response.StatusCode);
        Assert.Equal("completed", (await older.NextAsync())!.State);
    }

    [Fact]
    public async Task A_resumed_stream_of_several_sends_no_older_state_after_a_final_one()
    {
        var finished = new ConcurrentDictionary<string, bool>();
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(
            request.RequestUri!.Segments[^1] is var id && finished.ContainsKey(id) ? Samples.CompletedAs(id) : Samples.Interim(id))));
        using var caller = _gateway.CreateCaller();
        using var older = await Events.OpenAsync(caller, "/generations/g1/events");
        Assert.Equal("processing", (await older.NextAsync())!.State);

        using var again = await Events.OpenAsync(caller, "/generations/events?ids=g1,g2", "cq");
        var first = await _gateway.Clock.UntilAsync(again.NextAsync());
        finished["g1"] = finished["g2"] = true;
        var rest = await _gateway.Clock.UntilAsync(again.RestAsync());

        Assert.Equal(("g2", "processing", "cp"), (first!.Subject, first.State, first.Id));
        Assert.Equal([("g2", "completed", "cc")], rest.Select(sent => (sent.Subject, sent.State, sent.Id)));
    }

    [Fact]
    public async Task Reconnecting_in_the_middle_repeats_no_event()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        string? id;
        using (var events = await Events.OpenAsync(caller, "/generations/g1/events"))
        {
            id = (await events.NextAsync())!.Id;
        }

        using var again = await Events.OpenAsync(caller, "/generations/g1/events", id);
        var rest = await _gateway.Clock.UntilAsync(again.RestAsync());

        Assert.Equal(["completed"], rest.Select(sent => sent.State));
    }

    [Fact]
    public async Task A_stream_without_events_gets_comments_as_heartbeats()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        Assert.Equal("comment", (await events.NextOfAnyKindAsync())!.Kind);
        Assert.Equal("generation", (await events.NextOfAnyKindAsync())!.Kind);
        var startedAt = _gateway.Clock.GetUtcNow();

        for (var heartbeats = 0; heartbeats < 3; heartbeats++)
        {
            Assert.Equal("comment", (await _gateway.Clock.UntilAsync(events.NextOfAnyKindAsync()))!.Kind);
        }

        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(44), TimeSpan.FromSeconds(48));
    }

    [Fact]
    public async Task A_fault_during_a_stream_sends_no_event_and_polling_continues()
    {
        _gateway.With("Luma:Retries", "0").Upstream
            .ThenJson(Samples.Interim("g1"))
            .ThenJson("{}", HttpStatusCode.InternalServerError).ThenThrow(new HttpRequestException("unreachable"))
            .AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal(["processing", "failed"], all.Select(sent => sent.State));
    }

    [Fact]
    public async Task A_stream_that_cannot_start_is_a_problem_response()
    {
        _gateway.With("Luma:Retries", "0").Upstream.ThenJson("{}", HttpStatusCode.NotFound).AlwaysJson("{}", HttpStatusCode.InternalServerError);
        using var caller = _gateway.CreateCaller();

        using var unknown = await caller.SendGetAsync("/generations/g1/events");
        using var again = await caller.SendGetAsync("/generations/g1/events");
        using var failing = await caller.SendGetAsync("/generations/g2/events");
        using var malformed = await caller.SendGetAsync("/generations/a:b/events");

        await unknown.ProblemAsync(404, "generation_not_found");
        await again.ProblemAsync(404, "generation_not_found");
        await failing.ProblemAsync(502, "upstream_failed");
        await malformed.ProblemAsync(400, "invalid_id");
    }

    [Fact]
    public async Task A_resumed_stream_starts_even_if_the_upstream_fails()
    {
        _gateway.With("Luma:Retries", "0").Upstream.ThenJson("{}", HttpStatusCode.InternalServerError).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events", "\"earlier\"");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal(["completed"], all.Select(sent => sent.State));
    }

    [Fact]
    public async Task A_generation_that_becomes_unknown_ends_its_stream()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1")).AlwaysJson("{}", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal(["processing"], all.Select(sent => sent.State));
        Assert.Equal(3, _gateway.Upstream.RequestCount); // a single 404 does not end the stream
    }

    [Fact]
    public async Task A_stream_of_several_generations_sends_all_states_and_then_the_changes()
    {
        var finished = new HashSet<string> { "a" };
        _gateway.Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.Segments[^1] switch
        {
            "unknown" => ScriptedUpstream.Json("{}", HttpStatusCode.NotFound),
            var id when finished.Contains(id) => ScriptedUpstream.Json(Samples.CompletedAs(id)),
            var id => ScriptedUpstream.Json(Samples.Interim(id)),
        }));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/events?ids=a,b,unknown,a,c");
        var first = new[] { await events.NextAsync(), await events.NextAsync(), await events.NextAsync(), await events.NextAsync() };
        finished.Add("c");
        var second = await _gateway.Clock.UntilAsync(events.NextAsync());
        finished.Add("b");
        var rest = await _gateway.Clock.UntilAsync(events.RestAsync());

        var byId = first.OrderBy(one => one!.Subject, StringComparer.Ordinal).ToList(); // each is sent as soon as it is known
        Assert.Equal(["a", "b", "c", "unknown"], byId.Select(one => one!.Subject));
        Assert.Equal(["generation", "generation", "generation", "problem"], byId.Select(one => one!.Kind));
        Assert.Equal("cpap", first[^1]!.Id);
        Assert.Equal(("c", "completed"), (second!.Subject, second.State));
        Assert.Equal(("b", "completed"), (Assert.Single(rest).Subject, rest[0].State));

        using var resumed = await Events.OpenAsync(caller, "/generations/events?ids=a,b,unknown,c", "cp--");
        Assert.Equal(["b", "c", "unknown"], (await resumed.RestAsync()).Select(sent => sent.Subject).Order(StringComparer.Ordinal));
        using var over = await Events.OpenAsync(caller, "/generations/events?ids=a,b,unknown,c", rest[0].Id);
        Assert.Equal(HttpStatusCode.NoContent, over.Response.StatusCode);
    }

    [Theory]
    [InlineData("/generations/events", "invalid_request")]
    [InlineData("/generations/events?ids=,", "invalid_request")]
    [InlineData("/generations/events?ids=a:b", "invalid_id")]
    [InlineData("/generations/events?ids=a,b,c", "invalid_request")]
    public async Task Missing_malformed_or_too_many_ids_are_a_problem_response(string path, string code)
    {
        using var caller = _gateway.With("Batch:MaxIds", "2").CreateCaller();

        using var response = await caller.SendGetAsync(path);

        await response.ProblemAsync(400, code);
    }

    [Fact]
    public async Task When_the_service_stops_long_polls_get_the_state_and_streams_the_reconnection_time()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        var (main, _) = ListeningGateway.Start(_gateway.With("Server:ShutdownTimeout", "01:00:00")); // needs Kestrel: the test server does not wait for active requests
        using var caller = new HttpClient { BaseAddress = main };
        caller.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        await events.NextAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1") { Headers = { { "Prefer", "wait=50" } } };
        var longPoll = caller.SendAsync(request, TestContext.Current.CancellationToken);
        var waiters = _gateway.Services.GetRequiredService<WaiterRegistry>();
        await Poll.UntilAsync(() => waiters.Count == 2);

        _gateway.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        var retry = Assert.Single(await events.RestAsync());
        Assert.Equal("retry", retry.Kind);
        Assert.InRange(int.Parse(retry.Data!, null), 1000, 3000);
        using var response = await longPoll;
        Assert.Equal("processing", (await response.JsonAsync()).GetProperty("state").GetString());
    }
}
