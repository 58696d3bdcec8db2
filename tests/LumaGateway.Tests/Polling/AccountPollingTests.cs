using System.Collections.Concurrent;
using System.Net;
using LumaGateway.Polling;
using LumaGateway.Tests.LongPolling;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Polling;

/// <summary>Polling with several accounts: each generation is polled at its own account, by the list of that account if it has one. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class AccountPollingTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway()
        .WithAccounts(TestAccounts.Named("a", "dream-machine"), TestAccounts.Named("b"), TestAccounts.Named("c", "dream-machine"))
        .With("Luma:MaxPollsPerSecond", "1000").With("Luma:Retries", "0").With("Waiting:SlowAfter", "1.00:00:00");

    private readonly ConcurrentQueue<(string Account, string Path)> _requests = new();
    private readonly ConcurrentDictionary<string, bool> _finished = new();
    private string? _throttled;

    public AccountPollingTests() => _gateway.Upstream.Always((request, _) =>
    {
        var address = request.RequestUri!;
        var (account, path) = (address.Host[..1], address.Segments[^1]);
        _requests.Enqueue((account, path));
        if (account == _throttled)
        {
            var throttled = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            throttled.Headers.Add("Retry-After", "60");
            return Task.FromResult(throttled);
        }

        return Task.FromResult(
            address.Query.Length > 0 ? ScriptedUpstream.Json($$"""{"generations":[{{string.Join(',', Enumerable.Range(0, 20).Select(i => Generation($"{account}{i}")))}}],"has_more":false}""")
            : path.StartsWith(account, StringComparison.Ordinal) ? ScriptedUpstream.Json(Generation(path))
            : ScriptedUpstream.Json("""{"detail":"not found"}""", HttpStatusCode.NotFound));
    });

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_lists_of_the_accounts_serve_their_own_generations_and_the_others_are_polled_one_by_one()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, $"/generations/events?ids={Ids("a", 12)},{Ids("b", 12)},{Ids("c", 12)}");
        await WaitUntilKnownAsync(events, 36);
        _requests.Clear();

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(10));
        _finished["c7"] = true;
        var changed = await _gateway.Clock.UntilAsync(events.NextAsync());

        Assert.Equal(("c7", "completed"), (changed!.Subject, changed.State));
        Assert.All(_requests, one => Assert.Equal(one.Account is "b" ? one.Path[..1] : "generations", one.Account is "b" ? "b" : one.Path));
        Assert.Equal(["a", "b", "c"], _requests.Select(one => one.Account).Distinct().Order());
    }

    [Fact]
    public async Task A_Retry_After_stops_the_polls_of_its_account_only()
    {
        using var caller = _gateway.CreateCaller();
        using var events = await Events.OpenAsync(caller, $"/generations/events?ids={Ids("a", 2)},{Ids("b", 2)}");
        await WaitUntilKnownAsync(events, 4);
        _throttled = "b";
        var before = _requests.Count(one => one.Account is "b");
        await _gateway.Clock.UntilAsync(() => _requests.Count(one => one.Account is "b") > before);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(1));
        _requests.Clear();

        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(20));

        Assert.NotEmpty(_requests);
        Assert.All(_requests, one => Assert.Equal("a", one.Account));
    }

    private static string Ids(string account, int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"{account}{i}"));

    private string Generation(string id) => $$"""{"id":"{{id}}","state":"{{(_finished.ContainsKey(id) ? "completed" : "processing")}}","assets":{"video":"https://storage.cdn-luma.com/{{id}}.mp4"},"created_at":"2026-04-08T12:00:00Z"}""";

    /// <summary>The first state of each generation: its read finds the account.</summary>
    private async Task WaitUntilKnownAsync(Events events, int count)
    {
        var targets = _gateway.Services.GetRequiredService<PollTargets>();
        await _gateway.Clock.UntilAsync(() => targets.All.Count(target => target.Snapshot is not null) == count);
        await _gateway.Clock.RunAsync(TimeSpan.FromSeconds(3));
        for (var i = 0; i < count; i++)
        {
            await events.NextAsync();
        }
    }
}
