using System.Collections.Concurrent;
using System.Net;
using System.Web;
using LumaGateway.Polling;
using LumaGateway.Tests.LongPolling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

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

    public ListSweepTests() => _gateway.Upstream.Always((request, _) =>
    {
        var address = request.RequestUri!;
        _requests.Enqueue(address.Segments[^1] + address.Query);
        return Task.FromResult(address.Query.Length > 0
            ? ScriptedUpstream.Json(Page(HttpUtility.ParseQueryString(address.Query)), _listStatus)
            : ScriptedUpstream.Json(Generation(address.Segments[^1])));
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
        Assert.InRange(_requests.Count(path => path == "g19"), 9, 15);
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
