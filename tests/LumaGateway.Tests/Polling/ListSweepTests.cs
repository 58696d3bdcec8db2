using System.Collections.Concurrent;
using System.Net;
using System.Web;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Polling;
using LumaGateway.Redis;
using LumaGateway.Tests.LongPolling;
using LumaGateway.Tests.Redis;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LumaGateway.Tests.Polling;

/// <summary>Polling by lists. The upstream lists 500 generations, newest first: <c>g0</c>, <c>g1</c>, …</summary>
[Collection(RunsAlone.Name)]
public sealed class ListSweepTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway()
        .With("Luma:Dialect", "dream-machine").With("Luma:MaxPollsPerSecond", "1000").With("Luma:Retries", "0").With("Waiting:SlowAfter", "1.00:00:00");

    private readonly ConcurrentDictionary<string, bool> _finished = new();
    private readonly ConcurrentDictionary<string, bool> _unlisted = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private HttpStatusCode _listStatus = HttpStatusCode.OK;
    private TimeSpan _listDelay;
    private Type? _listException;
    private TimeSpan _singleDelay;
    private string _slowPage = "none";
    private string _limitedPage = "none";

    public ListSweepTests() => _gateway.Upstream.Always(async (request, token) =>
    {
        var address = request.RequestUri!;
        _requests.Enqueue(address.Segments[^1] + address.Query);
        if (address.Query.Length == 0)
        {
            await Task.Delay(_singleDelay, _gateway.Clock, token);
            return ScriptedUpstream.Json(Generation(address.Segments[^1]));
        }

        if (_listException is { } exception)
        {
            throw (Exception)Activator.CreateInstance(exception)!;
        }

        if (address.Query.EndsWith(_limitedPage, StringComparison.Ordinal))
        {
            var limited = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            limited.Headers.Add("Retry-After", "1");
            return limited;
        }

        await Task.Delay(address.Query.EndsWith(_slowPage, StringComparison.Ordinal) ? TimeSpan.FromHours(1) : _listDelay, _gateway.Clock, token);
        return ScriptedUpstream.Json(Page(HttpUtility.ParseQueryString(address.Query)), _listStatus);
    });

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Many_generations_are_polled_with_one_list_request()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);
        var startedAt = _gateway.Clock.GetUtcNow();

        _finished["g7"] = true;
        var changed = await _gateway.Clock.UntilAsync(events.NextAsync());
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(("g7", "completed"), (changed!.Subject, changed.State));
        Assert.All(_requests, path => Assert.Equal("generations?limit=100&offset=0", path));
        var elapsed = _gateway.Clock.GetUtcNow() - startedAt;
        Assert.InRange(_requests.Count, elapsed.TotalSeconds / 2.5, (elapsed.TotalSeconds / 1.8) + 1);
    }

    [Fact]
    public async Task Few_generations_are_polled_one_by_one()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 4);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.DoesNotContain(_requests, path => path.Contains('?', StringComparison.Ordinal));
        Assert.InRange(_requests.Count, 16, 32);
    }

    [Fact]
    public async Task A_generation_that_the_list_does_not_contain_is_polled_by_itself()
    {
        _unlisted["g3"] = true;
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));
        _finished["g3"] = true;
        var changed = await _gateway.Clock.UntilAsync(events.NextAsync());

        Assert.Equal("g3", changed!.Subject);
        Assert.All(_requests, path => Assert.Contains(path, new[] { "g3", "generations?limit=100&offset=0" }));
        Assert.Contains("g3", _requests);
    }

    [Fact]
    public async Task Further_pages_are_read_only_while_a_page_contains_several_targets()
    {
        // Two targets are on the second page. The third has only one, so reading stops there, and g450 is polled by itself.
        using var caller = _gateway.With("Batch:MaxIds", "100").CreateCaller();
        using var events = await OpenStreamAsync(caller, [.. Enumerable.Range(0, 10), 120, 150, 250, 450]);
        await WaitUntilIdleAsync(events);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.Contains("generations?limit=100&offset=100", _requests);
        Assert.DoesNotContain("generations?limit=100&offset=300", _requests);
        Assert.Contains("g450", _requests);
        Assert.DoesNotContain("g5", _requests);
    }

    [Fact]
    public async Task Pages_with_too_few_targets_are_read_again_when_there_are_many()
    {
        using var caller = _gateway.With("Batch:MaxIds", "200").CreateCaller();
        using var few = await OpenStreamAsync(caller, [1, 2, 3, 4, 450]);
        await WaitUntilIdleAsync(few);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(5));
        Assert.Contains("g450", _requests);

        using var many = await OpenStreamAsync(caller, [.. Enumerable.Range(0, 100).Select(i => (i * 5) + 1)]);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(5));
        _requests.Clear();
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.Contains("generations?limit=100&offset=400", _requests);
        Assert.All(_requests, path => Assert.Contains('?', path));
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.MethodNotAllowed)]
    public async Task A_missing_list_is_not_read_for_30_seconds_and_each_generation_is_polled(HttpStatusCode status)
    {
        _listStatus = status;
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(25));

        Assert.Single(_requests, path => path.Contains('?', StringComparison.Ordinal));
        Assert.InRange(_requests.Count(path => path == "g19"), 8, 15);
    }

    [Theory]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.InternalServerError)]
    public async Task While_the_list_fails_each_generation_is_polled(HttpStatusCode status)
    {
        _listStatus = status;
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(25));
        Assert.InRange(_requests.Count(path => path == "g19"), 8, 15);

        _listStatus = HttpStatusCode.OK;
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(5));
        _requests.Clear();
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));
        Assert.All(_requests, path => Assert.Contains('?', path));
    }

    [Fact]
    public async Task A_list_that_fails_once_is_read_again_at_the_next_interval()
    {
        _listStatus = HttpStatusCode.InternalServerError;
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await _gateway.Clock.UntilAsync(() => _requests.Any(path => path.Contains('?', StringComparison.Ordinal)));
        _listStatus = HttpStatusCode.OK;

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(20));

        Assert.InRange(_requests.Count(path => path == "g19"), 0, 1); // the first read
    }

    [Theory]
    [InlineData(typeof(HttpRequestException))]
    [InlineData(typeof(InvalidOperationException))]
    public async Task A_list_request_that_ends_with_an_exception_does_not_stop_the_polls(Type exception)
    {
        _listException = exception;
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(25));

        Assert.InRange(_requests.Count(path => path == "g19"), 8, 15);
    }

    [Fact]
    public async Task A_list_that_does_not_respond_does_not_stop_the_polls()
    {
        _listDelay = TimeSpan.FromHours(1);
        using var caller = _gateway.With("Luma:Deadline", "00:00:04").With("Luma:AttemptTimeout", "00:00:04").CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(30));

        Assert.InRange(_requests.Count(path => path == "g19"), 7, 16);
    }

    [Fact]
    public async Task Generations_on_pages_that_are_not_read_before_the_deadline_are_polled_by_themselves()
    {
        // In three seconds, at one request a second, three or four of the five pages are read.
        _gateway.With("Luma:Deadline", "00:00:03").With("Luma:AttemptTimeout", "00:00:03").With("Luma:MaxPollsPerSecond", "1")
            .With("Waiting:PollEvery", "00:00:10").With("Waiting:PollSlowest", "00:00:10");
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, [.. Enumerable.Range(0, 5).SelectMany(page => new[] { (100 * page) + 1, (100 * page) + 2 })]);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(15));

        _requests.Clear();
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(60));

        Assert.Contains("g401", _requests);
        Assert.Contains("g402", _requests);
        Assert.Contains("generations?limit=100&offset=200", _requests);
    }

    [Fact]
    public async Task A_new_wait_reads_its_generation_at_once()
    {
        foreach (var id in (string[])["g1", "g2", "g3", "g4", "g9"])
        {
            _finished[id] = true;
        }

        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 5); // five targets, of which one is polled
        await WaitUntilIdleAsync(events);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g9") { Headers = { { "Prefer", "wait=50" } } };

        var waiting = caller.SendAsync(request, TestContext.Current.CancellationToken);
        await _gateway.Clock.WaitUntilIdleAsync();

        Assert.True(waiting.IsCompleted, "The wait needs the next poll.");
        using var response = await waiting;
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task The_stream_of_an_unknown_generation_is_a_404()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);
        _gateway.Upstream.ThenJson("""{"detail":"Not Found"}""", HttpStatusCode.NotFound);

        using var unknown = await caller.SendGetAsync("/generations/unknown/events");

        await unknown.ProblemAsync(404, "generation_not_found");
    }

    [Fact]
    public async Task With_Redis_the_list_is_read_once_in_each_interval()
    {
        UseRedis();
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);

        _listDelay = TimeSpan.FromSeconds(0.5);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(20));

        Assert.InRange(_requests.Count, 8, 12);
    }

    [Fact]
    public async Task A_pause_of_the_replica_that_reads_the_list_does_not_end_the_use_of_the_list()
    {
        UseRedis();
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);

        await HoldListAsync(TimeSpan.FromSeconds(9)); // another replica, which then pauses
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(8));
        Assert.Contains("g19", _requests);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));
        _requests.Clear();
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.NotEmpty(_requests);
        Assert.All(_requests, path => Assert.Contains('?', path));
    }

    [Fact]
    public async Task While_another_replica_takes_the_list_and_stores_nothing_each_generation_is_polled()
    {
        _singleDelay = TimeSpan.FromSeconds(1);
        UseRedis();
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);

        await HoldListAsync(TimeSpan.FromMinutes(5));
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(60));

        Assert.InRange(_requests.Count(path => path == "g19"), 26, 31);
    }

    [Fact]
    public async Task With_Redis_several_pages_are_read_once_in_each_interval()
    {
        UseRedis();
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, [1, 2, 101, 102, 201, 202]);
        await WaitUntilIdleAsync(events);

        _listDelay = TimeSpan.FromSeconds(0.5);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(20));

        Assert.InRange(_requests.Count(path => path.EndsWith("offset=0", StringComparison.Ordinal)), 8, 12);
    }

    [Fact]
    public async Task Purges_of_other_generations_during_each_list_request_do_not_stop_the_polls()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);
        _listDelay = TimeSpan.FromSeconds(1);
        _finished["g7"] = true;

        var next = events.NextAsync();
        for (var i = 0; i < 20; i++)
        {
            await _gateway.Services.GetRequiredService<ResponseCache>().PurgeAsync(GenerationId.Parse("other", null));
            await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(0.5));
        }

        Assert.True(next.IsCompleted, "The end of the generation was not noticed.");
        Assert.Equal("g7", (await next)!.Subject);
    }

    [Fact]
    public async Task A_wait_that_begins_while_the_list_does_not_respond_is_polled()
    {
        _listDelay = TimeSpan.FromHours(1);
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(60));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/generations/g30") { Headers = { { "Prefer", "wait=50" } } };

        var waiting = caller.SendAsync(request, TestContext.Current.CancellationToken);
        await _gateway.Clock.UntilAsync(() => _requests.Contains("g30"));
        _finished["g30"] = true;
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(5));

        Assert.True(waiting.IsCompleted, "The wait was not polled.");
        using var response = await waiting;
        Assert.Equal("completed", (await response.JsonAsync()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_page_that_fails_once_does_not_end_the_use_of_the_list()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, [1, 2, 3, 101, 102]);
        await WaitUntilIdleAsync(events);
        _slowPage = "offset=100";
        await _gateway.Clock.UntilAsync(() => _requests.Any(path => path.EndsWith(_slowPage, StringComparison.Ordinal)));
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(1));
        _slowPage = "none";
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(9)); // Luma:AttemptTimeout passes
        _requests.Clear();

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.NotEmpty(_requests);
        Assert.All(_requests, path => Assert.Contains('?', path));
    }

    [Fact]
    public async Task A_page_that_never_responds_does_not_end_the_use_of_the_pages_before_it()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, [1, 2, 3, 101, 102]);
        await WaitUntilIdleAsync(events);
        _slowPage = "offset=100";
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(40));
        _requests.Clear();

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(60));

        Assert.InRange(_requests.Count(path => path == "g1"), 0, 10); // only while the page is tried again
        Assert.InRange(_requests.Count(path => path == "g101"), 20, 35);
    }

    [Fact]
    public async Task A_page_that_is_limited_causes_no_other_requests()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, [1, 2, 3, 101, 102, 103]);
        await WaitUntilIdleAsync(events);
        _limitedPage = "offset=100";

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(20));

        Assert.NotEmpty(_requests);
        Assert.All(_requests, path => Assert.Contains('?', path));
    }

    [Fact]
    public async Task A_final_state_of_a_replica_whose_clock_is_behind_counts_at_the_next_read()
    {
        UseRedis();
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);
        await HoldListAsync(TimeSpan.FromMinutes(5));
        var requestedAt = _gateway.Services.GetRequiredService<PollTargets>().Find(GenerationId.Parse("g7", null))!.Snapshot!.Entry.RequestedAt.AddSeconds(-1);
        var final = new CacheEntry(GenerationId.Parse("g7", null), EntryKind.Final, """{"id":"g7","state":"completed"}"""u8.ToArray(), requestedAt, requestedAt.AddHours(1), requestedAt.AddHours(2));
        Assert.Equal(WriteResult.Stored, await _gateway.Services.GetRequiredService<RedisTier>().WriteAsync(final, null));

        var next = events.NextAsync();
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(2.5));

        Assert.True(next.IsCompleted, "The final state was not taken.");
        Assert.Equal("completed", (await next)!.State);
    }

    [Fact]
    public async Task A_purge_during_a_list_request_does_not_end_the_use_of_the_list()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);
        _listDelay = TimeSpan.FromSeconds(1);
        await _gateway.Clock.UntilAsync(() => !_requests.IsEmpty);

        await _gateway.Services.GetRequiredService<ResponseCache>().PurgeAsync(GenerationId.Parse("other", null));
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.All(_requests, path => Assert.Contains('?', path));
    }

    [Fact]
    public async Task A_hint_polls_its_generation_before_the_next_list_request()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await OpenStreamAsync(caller, 20);
        await WaitUntilIdleAsync(events);
        await _gateway.Clock.UntilAsync(() => !_requests.IsEmpty); // a list request: the next one is 1.8 s later
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(1)); // Waiting:PollFloor has passed
        _requests.Clear();
        _finished["g7"] = true;
        var changes = _gateway.Services.GetRequiredService<ChangeBroadcast>();

        Assert.True(changes.TryHint(GenerationId.Parse("g7", null)));
        Assert.True(changes.TryHint(GenerationId.Parse("g8", null)));
        await _gateway.Clock.RunAsync(TimeSpan.FromMilliseconds(100)); // the next tick of the polling loop

        Assert.Equal("g7", (await events.NextAsync())!.Subject);
        Assert.Equal(["g7", "g8"], _requests.Order());
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(2, _requests.Count(path => !path.Contains('?', StringComparison.Ordinal))); // g8 has not ended, and the list serves it again
    }

    private void UseRedis()
    {
        var redis = new FakeRedis(_gateway.Clock);
        _gateway.With("Luma:Name", "account").With("ConnectionStrings:Redis", "redis.test").With(services =>
        {
            services.AddSingleton<IDistributedCache>(redis);
            services.AddSingleton(provider => new RedisConnection(provider.GetRequiredService<IOptions<RedisOptions>>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RedisConnection>>())
            {
                Connect = _ => Task.FromResult(redis.Connect()),
            });
        });
    }

    /// <summary>Takes the lock of the sweep, as another replica does.</summary>
    private Task<bool> HoldListAsync(TimeSpan time)
    {
        var interval = _gateway.Services.GetRequiredService<IntervalLock>();
        return _gateway.Clock.UntilAsync(HoldAsync());

        async Task<bool> HoldAsync()
        {
            while (!await interval.TryStartAsync("sweep", time))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10), _gateway.Clock, TestContext.Current.CancellationToken);
            }

            return true;
        }
    }

    private static Task<Events> OpenStreamAsync(HttpClient caller, int count) => OpenStreamAsync(caller, Enumerable.Range(0, count));

    private static Task<Events> OpenStreamAsync(HttpClient caller, IEnumerable<int> numbers) =>
        Events.OpenAsync(caller, $"/generations/events?ids={string.Join(',', numbers.Select(number => $"g{number}"))}");

    /// <summary>Waits until the state of each generation is known, and clears the recorded requests.</summary>
    private async Task WaitUntilIdleAsync(Events events)
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        await _gateway.Clock.UntilAsync(() => targets.All.All(target => target.Snapshot is not null));
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(3));
        var polled = targets.All.ToList();
        Assert.NotEmpty(polled);
        foreach (var target in polled)
        {
            Assert.NotNull(target.Snapshot);
            await events.NextAsync();
        }

        _requests.Clear();
    }

    private string Page(System.Collections.Specialized.NameValueCollection query)
    {
        var (limit, offset) = (int.Parse(query["limit"]!, null), int.Parse(query["offset"]!, null));
        var page = Enumerable.Range(offset, limit).Where(number => number < 500).Select(number => $"g{number}").Where(id => !_unlisted.ContainsKey(id));
        return $$"""{"has_more":{{(offset + limit < 500 ? "true" : "false")}},"count":500,"limit":{{limit}},"offset":{{offset}},"generations":[{{string.Join(',', page.Select(Generation))}}]}""";
    }

    private string Generation(string id) => $$"""
        {"id":"{{id}}","state":"{{(_finished.ContainsKey(id) ? "completed" : "dreaming")}}","created_at":"2026-04-08T12:09:00Z","assets":{"video":"https://cdn.test/{{id}}.mp4"} }
        """;
}
