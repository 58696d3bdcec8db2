using System.Net;
using LumaGateway.Caching;
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
    public async Task Each_change_is_one_event_and_the_last_ends_the_stream()
    {
        _gateway.Upstream
            .ThenJson(Samples.Unfinished("g1", "pending")).ThenJson(Samples.Unfinished("g1", "pending"))
            .ThenJson(Samples.Unfinished("g1")).ThenJson(Samples.Unfinished("g1"))
            .AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal("text/event-stream", events.Response.Header("Content-Type"));
        Assert.Equal("no-store", events.Response.Header("Cache-Control"));
        Assert.Equal(["queued", "processing", "completed"], all.Select(one => one.State));
        Assert.All(all, one => Assert.Equal("generation", one.Kind));
        using var plain = await caller.AskAsync("/generations/g1");
        Assert.Equal("c", all[^1].Id);
        Assert.Equal(await plain.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), all[^1].Data);
    }

    [Theory]
    [InlineData("/generations/g1/events")]
    [InlineData("/generations/events?ids=g1,g2")]
    public async Task Who_begins_to_follow_is_told_the_end_as_soon_as_memory_has_it(string path)
    {
        _gateway.Upstream.AlwaysJson(Samples.Unfinished("g1"));
        using var caller = _gateway.CreateCaller();
        using var earlier = await Events.OpenAsync(caller, "/generations/g1/events");
        Assert.Equal("processing", (await earlier.NextAsync())!.State);
        var cache = _gateway.Services.GetRequiredService<ResponseCache>();
        var now = _gateway.Clock.GetUtcNow();
        var end = """{"id":"g1","state":"completed"}"""u8.ToArray();

        await cache.PutAsync(new CacheEntry(new CacheKey("g1"), EntryKind.Final, end, now, now.AddHours(1), now.AddHours(2)), cache.Purges);
        using var plain = await caller.AskAsync("/generations/g1");
        using var later = await Events.OpenAsync(caller, path);

        Assert.Equal("completed", (await plain.JsonAsync()).GetProperty("state").GetString());
        Assert.Equal("completed", (await later.NextAsync())!.State);
        Assert.Equal("completed", (await earlier.NextAsync())!.State);
    }

    [Fact]
    public async Task Coming_again_with_the_last_events_id_is_answered_with_204()
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
    public async Task Coming_again_is_answered_with_204_though_the_links_have_been_signed_anew(string path)
    {
        var signed = 0;
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(
            Samples.SignedUntil(request.RequestUri!.Segments[^1], _gateway.Clock.GetUtcNow().AddMinutes(11)).Replace("Signature=00", $"Signature={signed++:00}", StringComparison.Ordinal))));
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, path);
        var last = (await events.RestAsync())[^1];
        _gateway.Clock.Advance(TimeSpan.FromMinutes(5)); // the answer is no longer fresh, and is asked for anew

        using var again = await Events.OpenAsync(caller, path, last.Id);

        Assert.Equal(HttpStatusCode.NoContent, again.Response.StatusCode);
    }

    [Fact]
    public async Task Coming_again_in_the_middle_repeats_nothing()
    {
        _gateway.Upstream.ThenJson(Samples.Unfinished("g1")).ThenJson(Samples.Unfinished("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();
        string? id;
        using (var events = await Events.OpenAsync(caller, "/generations/g1/events"))
        {
            id = (await events.NextAsync())!.Id;
        }

        using var again = await Events.OpenAsync(caller, "/generations/g1/events", id);
        var rest = await _gateway.Clock.UntilAsync(again.RestAsync());

        Assert.Equal(["completed"], rest.Select(one => one.State));
    }

    [Fact]
    public async Task A_silent_stream_is_kept_alive_by_comments()
    {
        _gateway.Upstream.AlwaysJson(Samples.Unfinished("g1"));
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        Assert.Equal("comment", (await events.NextOfAnyKindAsync())!.Kind);
        Assert.Equal("generation", (await events.NextOfAnyKindAsync())!.Kind);
        var begun = _gateway.Clock.GetUtcNow();

        for (var beats = 0; beats < 3; beats++)
        {
            Assert.Equal("comment", (await _gateway.Clock.UntilAsync(events.NextOfAnyKindAsync()))!.Kind);
        }

        Assert.InRange(_gateway.Clock.GetUtcNow() - begun, TimeSpan.FromSeconds(44), TimeSpan.FromSeconds(48));
    }

    [Fact]
    public async Task A_fault_in_mid_stream_sends_nothing_and_the_watch_goes_on()
    {
        _gateway.With("Luma:Retries", "0").Upstream
            .ThenJson(Samples.Unfinished("g1"))
            .ThenJson("{}", HttpStatusCode.InternalServerError).ThenThrow(new HttpRequestException("away"))
            .AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal(["processing", "failed"], all.Select(one => one.State));
    }

    [Fact]
    public async Task A_stream_that_cannot_begin_is_a_problem()
    {
        _gateway.With("Luma:Retries", "0").Upstream.ThenJson("{}", HttpStatusCode.NotFound).AlwaysJson("{}", HttpStatusCode.InternalServerError);
        using var caller = _gateway.CreateCaller();

        using var unknown = await caller.AskAsync("/generations/g1/events");
        using var again = await caller.AskAsync("/generations/g1/events");
        using var failing = await caller.AskAsync("/generations/g2/events");
        using var malformed = await caller.AskAsync("/generations/a.b/events");

        await unknown.ProblemAsync(404, "generation_not_found");
        await again.ProblemAsync(404, "generation_not_found");
        await failing.ProblemAsync(502, "upstream_failed");
        await malformed.ProblemAsync(400, "invalid_id");
    }

    [Fact]
    public async Task A_stream_that_is_resumed_begins_whatever_the_upstreams_state()
    {
        _gateway.With("Luma:Retries", "0").Upstream.ThenJson("{}", HttpStatusCode.InternalServerError).AlwaysJson(Samples.CompletedAs("g1"));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events", "\"earlier\"");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal(["completed"], all.Select(one => one.State));
    }

    [Fact]
    public async Task A_generation_that_vanishes_ends_its_stream()
    {
        _gateway.Upstream.ThenJson(Samples.Unfinished("g1")).AlwaysJson("{}", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        var all = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal(["processing"], all.Select(one => one.State));
        Assert.Equal(3, _gateway.Upstream.Asked); // once is not believed
    }

    [Fact]
    public async Task Several_are_told_of_first_as_they_are_and_then_as_they_change()
    {
        var finished = new HashSet<string> { "a" };
        _gateway.Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.Segments[^1] switch
        {
            "gone" => ScriptedUpstream.Json("{}", HttpStatusCode.NotFound),
            var id when finished.Contains(id) => ScriptedUpstream.Json(Samples.CompletedAs(id)),
            var id => ScriptedUpstream.Json(Samples.Unfinished(id)),
        }));
        using var caller = _gateway.CreateCaller();

        using var events = await Events.OpenAsync(caller, "/generations/events?ids=a,b,gone,a,c");
        var first = new[] { await events.NextAsync(), await events.NextAsync(), await events.NextAsync(), await events.NextAsync() };
        finished.Add("c");
        var second = await _gateway.Clock.UntilAsync(events.NextAsync());
        finished.Add("b");
        var rest = await _gateway.Clock.UntilAsync(events.RestAsync());

        Assert.Equal(["a", "b", "gone", "c"], first.Select(one => one!.Subject));
        Assert.Equal(["generation", "generation", "problem", "generation"], first.Select(one => one!.Kind));
        Assert.Equal(("c", "completed"), (second!.Subject, second.State));
        Assert.Equal(("b", "completed"), (Assert.Single(rest).Subject, rest[0].State));

        using var resumed = await Events.OpenAsync(caller, "/generations/events?ids=a,b,gone,c", first[1]!.Id);
        Assert.Equal(["b", "gone", "c"], (await resumed.RestAsync()).Select(one => one.Subject));
        using var over = await Events.OpenAsync(caller, "/generations/events?ids=a,b,gone,c", rest[0].Id);
        Assert.Equal(HttpStatusCode.NoContent, over.Response.StatusCode);
    }

    [Theory]
    [InlineData("/generations/events", "invalid_request")]
    [InlineData("/generations/events?ids=,", "invalid_request")]
    [InlineData("/generations/events?ids=a.b", "invalid_id")]
    [InlineData("/generations/events?ids=a,b,c", "invalid_request")]
    public async Task Ids_that_cannot_be_are_a_problem(string path, string code)
    {
        using var caller = _gateway.With("Batch:MaxIds", "2").CreateCaller();

        using var response = await caller.AskAsync(path);

        await response.ProblemAsync(400, code);
    }

    [Fact]
    public async Task When_the_service_stops_waiters_get_the_state_and_streams_are_told_when_to_come_again()
    {
        _gateway.Upstream.AlwaysJson(Samples.Unfinished("g1"));
        var (main, _) = Listening.Start(_gateway.With("Server:ShutdownTimeout", "01:00:00")); // a server in memory does not wait for what is under way
        using var caller = new HttpClient { BaseAddress = main };
        caller.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        using var events = await Events.OpenAsync(caller, "/generations/g1/events");
        await events.NextAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g1") { Headers = { { "Prefer", "wait=50" } } };
        var waiting = caller.SendAsync(request, TestContext.Current.CancellationToken);
        var room = _gateway.Services.GetRequiredService<WaiterRegistry>();
        await Pump.EventuallyAsync(() => room.Count == 2);

        _gateway.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        var retry = Assert.Single(await events.RestAsync());
        Assert.Equal("retry", retry.Kind);
        Assert.InRange(int.Parse(retry.Data!, null), 1000, 3000);
        using var response = await waiting;
        Assert.Equal("processing", (await response.JsonAsync()).GetProperty("state").GetString());
    }
}
