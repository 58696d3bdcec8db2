using System.Collections.Concurrent;
using System.Net;
using System.Web;
using LumaGateway.Polling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.LongPolling;

/// <summary>The account's generations as Luma lists them, newest first: <c>g0</c>, <c>g1</c>, …</summary>
[Collection(RunsAlone.Name)]
public sealed class ListSweepTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway()
        .With("Luma:Dialect", "dream-machine").With("Luma:MaxPollsPerSecond", "1000").With("Luma:Retries", "0").With("Waiting:SlowAfter", "1.00:00:00");

    private readonly ConcurrentDictionary<string, bool> _finished = new();
    private readonly ConcurrentDictionary<string, bool> _unlisted = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private HttpStatusCode _listStatus = HttpStatusCode.OK;

    public ListSweepTests() => _gateway.Upstream.Always((request, _) =>
    {
        var address = request.RequestUri!;
        _asked.Enqueue(address.Segments[^1] + address.Query);
        return Task.FromResult(address.Query.Length > 0
            ? ScriptedUpstream.Json(Page(HttpUtility.ParseQueryString(address.Query)), _listStatus)
            : ScriptedUpstream.Json(Generation(address.Segments[^1])));
    });

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Many_are_asked_about_with_one_call_for_all_of_them_and_told_as_they_finish()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await FollowAsync(caller, 20);
        await SettleAsync(events);
        var begun = _gateway.Clock.GetUtcNow();

        _finished["g7"] = true;
        var told = await _gateway.Clock.UntilAsync(events.NextAsync());
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(("g7", "completed"), (told!.Subject, told.State));
        Assert.All(_asked, path => Assert.Equal("generations?limit=100&offset=0", path));
        var elapsed = _gateway.Clock.GetUtcNow() - begun;
        Assert.InRange(_asked.Count, elapsed.TotalSeconds / 2.5, (elapsed.TotalSeconds / 1.8) + 1);
    }

    [Fact]
    public async Task Few_are_asked_about_one_by_one()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await FollowAsync(caller, 4);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.DoesNotContain(_asked, path => path.Contains('?', StringComparison.Ordinal));
        Assert.InRange(_asked.Count, 16, 32);
    }

    [Fact]
    public async Task What_the_list_does_not_name_is_asked_about_by_itself()
    {
        _unlisted["g3"] = true;
        using var caller = _gateway.CreateCaller();
        using var events = await FollowAsync(caller, 20);
        await SettleAsync(events);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));
        _finished["g3"] = true;
        var told = await _gateway.Clock.UntilAsync(events.NextAsync());

        Assert.Equal("g3", told!.Subject);
        Assert.All(_asked, path => Assert.Contains(path, new[] { "g3", "generations?limit=100&offset=0" }));
        Assert.Contains("g3", _asked);
    }

    [Fact]
    public async Task Pages_are_read_on_only_while_they_pay()
    {
        // Two of them stand on the second page, and one on the third, which does not pay: it is asked about by itself.
        using var caller = _gateway.With("Batch:MaxIds", "100").CreateCaller();
        using var events = await FollowAsync(caller, [.. Enumerable.Range(0, 10), 120, 150, 250, 450]);
        await SettleAsync(events);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.Contains("generations?limit=100&offset=100", _asked);
        Assert.DoesNotContain("generations?limit=100&offset=300", _asked);
        Assert.Contains("g450", _asked);
        Assert.DoesNotContain("g5", _asked);
    }

    [Fact]
    public async Task Pages_that_did_not_pay_for_few_are_read_as_soon_as_there_are_many()
    {
        using var caller = _gateway.With("Batch:MaxIds", "200").CreateCaller();
        using var few = await FollowAsync(caller, [1, 2, 3, 4, 450]);
        await SettleAsync(few);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(5));
        Assert.Contains("g450", _asked);

        using var many = await FollowAsync(caller, [.. Enumerable.Range(0, 100).Select(i => (i * 5) + 1)]);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(5));
        _asked.Clear();
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));

        Assert.Contains("generations?limit=100&offset=400", _asked);
        Assert.All(_asked, path => Assert.Contains('?', path));
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound)]
    [InlineData(HttpStatusCode.MethodNotAllowed)]
    public async Task A_list_that_is_not_there_is_left_alone_for_half_a_minute_and_each_is_asked_about(HttpStatusCode status)
    {
        _listStatus = status;
        using var caller = _gateway.CreateCaller();
        using var events = await FollowAsync(caller, 20);

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(25));

        Assert.Single(_asked, path => path.Contains('?', StringComparison.Ordinal));
        Assert.InRange(_asked.Count(path => path == "g19"), 9, 15);
    }

    private static Task<Events> FollowAsync(HttpClient caller, int count) => FollowAsync(caller, Enumerable.Range(0, count));

    private static Task<Events> FollowAsync(HttpClient caller, IEnumerable<int> numbers) =>
        Events.OpenAsync(caller, $"/generations/events?ids={string.Join(',', numbers.Select(number => $"g{number}"))}");

    /// <summary>Until each is known, whoever was asked for it; what was asked for that does not count.</summary>
    private async Task SettleAsync(Events events)
    {
        var table = _gateway.Services.GetRequiredService<PollTargets>();
        await _gateway.Clock.UntilAsync(() => table.All.All(watch => watch.GenerationSnapshot is not null));
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(3));
        var watched = table.All.ToList();
        Assert.NotEmpty(watched);
        foreach (var watch in watched)
        {
            Assert.NotNull(watch.GenerationSnapshot);
            await events.NextAsync();
        }

        _asked.Clear();
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
