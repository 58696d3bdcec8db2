using System.Collections.Concurrent;
using System.Net;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Polling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LumaGateway.Tests.LongPolling;

/// <summary>
/// A stream of several generations while first reads get no response. The upstream does not respond for ids that begin with <c>slow</c> until it is released. Needs nothing.
/// </summary>
[Collection(RunsAlone.Name)]
public sealed class FirstReadsTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway()
        .With("Luma:Deadline", "00:05:00").With("Luma:AttemptTimeout", "00:05:00").With("Luma:Retries", "0").With("Waiting:SlowAfter", "1.00:00:00");

    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, Func<HttpResponseMessage>> _responses = new();

    public FirstReadsTests() => _gateway.Upstream.Always(async (request, token) =>
    {
        var id = request.RequestUri!.Segments[^1];
        if (id.StartsWith("slow", StringComparison.Ordinal))
        {
            await _released.Task.WaitAsync(token);
        }

        return _responses.TryGetValue(id, out var respond) ? respond() : ScriptedUpstream.Json(Samples.Interim(id));
    });

    public void Dispose()
    {
        _released.TrySetResult();
        _gateway.Dispose();
    }

    [Fact]
    public async Task Headers_and_known_states_do_not_wait_for_a_slow_read()
    {
        using var caller = _gateway.CreateCaller();

        using var events = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=slow,b"));
        Assert.Equal(HttpStatusCode.OK, events.Response.StatusCode);
        Assert.Equal("b", (await IdleAsync(events.NextAsync()))!.Subject);

        _released.SetResult();
        Assert.Equal("slow", (await IdleAsync(events.NextAsync()))!.Subject);
    }

    [Fact]
    public async Task Headers_do_not_wait_if_no_state_is_known()
    {
        using var caller = _gateway.CreateCaller();

        using var events = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=slow-1,slow-2"));

        Assert.Equal("comment", (await IdleAsync(events.NextOfAnyKindAsync()))!.Kind);
    }

    [Fact]
    public async Task Cached_states_do_not_wait_for_many_slow_reads()
    {
        using var caller = _gateway.CreateCaller();
        using var plain = await caller.SendGetAsync("/generations/b");

        using var events = await IdleAsync(Events.OpenAsync(caller, $"/generations/events?ids={SlowIds(20)},b"));

        Assert.Equal("b", (await IdleAsync(events.NextAsync()))!.Subject);
        Assert.Equal(1 + 8, _gateway.Upstream.RequestCount); // at most eight first reads at the same time
    }

    [Fact]
    public async Task Heartbeats_are_sent_during_a_slow_read()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=slow,b"));
        await IdleAsync(events.NextAsync());
        var startedAt = _gateway.Clock.GetUtcNow();

        for (var heartbeats = 0; heartbeats < 3; heartbeats++)
        {
            Assert.Equal("comment", (await _gateway.Clock.UntilAsync(events.NextOfAnyKindAsync()))!.Kind);
        }

        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(44), TimeSpan.FromSeconds(48));
    }

    [Fact]
    public async Task Reads_that_end_without_an_event_delay_no_heartbeat()
    {
        _gateway.With("Luma:Deadline", "00:00:10").With("Luma:AttemptTimeout", "00:00:10").With("Waiting:PollEvery", "00:01:00").With("Waiting:PollSlowest", "00:01:00");
        using var caller = _gateway.CreateCaller();
        using var events = await IdleAsync(Events.OpenAsync(caller, $"/generations/events?ids={SlowIds(16)}"));
        await IdleAsync(events.NextOfAnyKindAsync());
        var startedAt = _gateway.Clock.GetUtcNow();

        await _gateway.Clock.UntilAsync(events.NextOfAnyKindAsync()); // the first eight reads have failed by now

        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(14), TimeSpan.FromSeconds(16));
    }

    [Fact]
    public async Task A_client_that_leaves_during_slow_reads_leaves_nothing()
    {
        using var caller = _gateway.CreateCaller();
        using (await IdleAsync(Events.OpenAsync(caller, $"/generations/events?ids={SlowIds(20)}")))
        {
            Assert.Equal(8, _gateway.Upstream.RequestCount);
        }

        await _gateway.Clock.WaitUntilIdleAsync();

        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        Assert.Equal((0, 0, true), (_gateway.Services.GetRequiredService<WaiterRegistry>().Count, targets.Count, targets.IsEmpty));
        _released.SetResult();
        await _gateway.Clock.RunAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(8, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_state_from_another_source_is_sent_during_a_slow_read_and_an_older_one_not_after_it()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=slow,b"));
        await IdleAsync(events.NextAsync());
        var (cache, now) = (_gateway.Services.GetRequiredService<ResponseCache>(), _gateway.Clock.GetUtcNow());
        var final = new CacheEntry(GenerationId.Parse("slow", null), EntryKind.Final, """{"id":"slow","state":"completed"}"""u8.ToArray(), now, now.AddHours(1), now.AddHours(2));

        await cache.PutAsync(final, cache.Purges);
        _gateway.Services.GetRequiredService<PollTargets>().Update(final);

        var sent = await IdleAsync(events.NextAsync());
        Assert.Equal(("slow", "completed"), (sent!.Subject, sent.State));
        _released.SetResult(); // the read ends with an interim state
        await _gateway.Clock.WaitUntilIdleAsync();
        _responses["b"] = () => ScriptedUpstream.Json(Samples.CompletedAs("b"));
        Assert.Equal(["b"], (await _gateway.Clock.UntilAsync(events.RestAsync())).Select(next => next.Subject));
    }

    [Fact]
    public async Task A_failed_first_read_does_not_affect_the_others()
    {
        _responses["bad"] = () => ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError);
        using var caller = _gateway.CreateCaller();
        using var events = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=bad,slow,b"));
        Assert.Equal("b", (await IdleAsync(events.NextAsync()))!.Subject);

        _responses.Clear();

        Assert.Equal("bad", (await _gateway.Clock.UntilAsync(events.NextAsync()))!.Subject);
    }

    [Fact]
    public async Task A_state_that_an_older_stream_has_sent_is_sent_after_it_was_read_again()
    {
        using var caller = _gateway.CreateCaller();
        using var older = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=slow-a,a"));
        await IdleAsync(older.NextAsync());
        _responses["a"] = () => ScriptedUpstream.Json("{}", HttpStatusCode.InternalServerError);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(5)); // the polls fail, and the known state is too old for a new stream
        var held = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        _gateway.Upstream.Then((_, _) => held.Task);

        using var events = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=a,slow-b"));
        var next = events.NextAsync();
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.False(next.IsCompleted);
        held.SetResult(ScriptedUpstream.Json(Samples.Interim("a")));

        Assert.Equal("a", (await IdleAsync(next))!.Subject);
    }

    [Fact]
    public async Task A_generation_that_has_ended_and_is_unknown_now_gets_a_problem_event()
    {
        _responses["a"] = () => ScriptedUpstream.Json(Samples.CompletedWithExpiry("a", _gateway.Clock.GetUtcNow().AddHours(1)));
        using var caller = _gateway.CreateCaller();
        using var keeping = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=a,b"));
        await keeping.NextAsync();
        _gateway.Clock.Advance(TimeSpan.FromMinutes(70)); // the links have expired
        _responses["a"] = () => ScriptedUpstream.Json("{}", HttpStatusCode.NotFound);

        using var events = await IdleAsync(Events.OpenAsync(caller, "/generations/events?ids=slow,a"));

        var sent = await IdleAsync(events.NextAsync());
        Assert.Equal(("problem", "a"), (sent!.Kind, sent.Subject));
    }

    [Theory]
    [InlineData("slow,b", "-p")]
    [InlineData("slow,b", "pp")]
    public async Task A_resumed_stream_starts_at_once_if_it_has_more_to_send(string ids, string lastEventId)
    {
        using var caller = _gateway.CreateCaller();

        using var events = await IdleAsync(Events.OpenAsync(caller, $"/generations/events?ids={ids}", lastEventId));

        Assert.Equal(HttpStatusCode.OK, events.Response.StatusCode);
    }

    [Fact]
    public async Task A_client_that_has_all_states_gets_204_when_the_reads_end()
    {
        _responses["slow"] = () => ScriptedUpstream.Json(Samples.CompletedAs("slow"));
        _responses["b"] = () => ScriptedUpstream.Json("{}", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();
        var opening = Events.OpenAsync(caller, "/generations/events?ids=slow,b", "ca");
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));
        Assert.False(opening.IsCompleted);

        _released.SetResult();

        using var events = await IdleAsync(opening);
        Assert.Equal(HttpStatusCode.NoContent, events.Response.StatusCode);
    }

    [Fact]
    public async Task A_client_that_may_have_all_states_waits_for_the_headers_no_longer_than_for_a_heartbeat()
    {
        _responses["slow"] = () => ScriptedUpstream.Json(Samples.CompletedAs("slow"));
        _responses["b"] = () => ScriptedUpstream.Json(Samples.CompletedAs("b"));
        using var caller = _gateway.CreateCaller();
        var opening = Events.OpenAsync(caller, "/generations/events?ids=slow,b", "cc");
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(16));

        using var events = await IdleAsync(opening);
        Assert.Equal(HttpStatusCode.OK, events.Response.StatusCode);

        _released.SetResult();
        Assert.Empty(await IdleAsync(events.RestAsync()));
    }

    [Fact]
    public async Task When_the_service_stops_a_stream_with_slow_reads_gets_the_reconnection_time()
    {
        var (main, _) = ListeningGateway.Start(_gateway.With("Server:ShutdownTimeout", "01:00:00")); // needs Kestrel: the test server does not wait for active requests
        using var caller = new HttpClient { BaseAddress = main };
        caller.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        var opening = Events.OpenAsync(caller, "/generations/events?ids=slow-1,slow-2", "cc");
        await _gateway.Upstream.WaitForRequestsAsync(2);

        _gateway.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        using var events = await opening;
        Assert.Equal("retry", Assert.Single(await events.RestAsync()).Kind);
    }

    private static string SlowIds(int count) => string.Join(',', Enumerable.Range(0, count).Select(number => $"slow-{number}"));

    /// <summary>The result of a task that must be complete once the process is idle. The clock does not advance.</summary>
    private async Task<T> IdleAsync<T>(Task<T> task)
    {
        await _gateway.Clock.WaitUntilIdleAsync();
        Assert.True(task.IsCompleted, "The task waits for something.");
        return await task;
    }
}
