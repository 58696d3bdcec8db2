extern alias client;

using System.Collections.Concurrent;
using System.Net;
using client::LumaGateway.Client;
using LumaGateway.Tests.Support;
using GenerationState = client::LumaGateway.Contracts.GenerationState;

namespace LumaGateway.Tests.TypedClient;

/// <summary>Long polls and streams of the .NET client against the gateway, in one process.</summary>
[Collection(RunsAlone.Name)]
public sealed class WaitAndFollowTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Waiting:Longest", "00:00:03");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_wait_takes_several_long_polls_until_the_generation_is_completed()
    {
        for (var i = 0; i < 5; i++)
        {
            _gateway.Upstream.ThenJson(Samples.Interim("g1"));
        }

        _gateway.Upstream.AlwaysJson(Samples.CompletedAs("g1"));
        using var tested = TestedClient.Of(_gateway);
        var startedAt = _gateway.Clock.GetUtcNow();

        var generation = await _gateway.Clock.UntilAsync(tested.Client.WaitAsync("g1", TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken));

        Assert.Equal(GenerationState.Completed, generation.State);
        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(13));
    }

    [Fact]
    public async Task A_wait_ends_at_its_timeout_with_the_state_as_it_is()
    {
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var tested = TestedClient.Of(_gateway);
        var startedAt = _gateway.Clock.GetUtcNow();

        var generation = await _gateway.Clock.UntilAsync(tested.Client.WaitAsync("g1", TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));

        Assert.False(generation.IsFinal);
        Assert.InRange(_gateway.Clock.GetUtcNow() - startedAt, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(11));
    }

    [Fact]
    public async Task A_followed_generation_has_each_state_once_and_ends()
    {
        _gateway.Upstream.ThenJson(Samples.Interim("g1", "queued")).ThenJson(Samples.Interim("g1")).ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));
        using var tested = TestedClient.Of(_gateway);

        var states = await _gateway.Clock.UntilAsync(FollowAsync(tested.Client, "g1"));

        Assert.Equal([GenerationState.Queued, GenerationState.Processing, GenerationState.Completed], states);
    }

    [Theory]
    [InlineData("gone g1 g2", "g1 Completed,g1 Processing,g2 Completed,g2 Queued,gone generation_not_found")]
    [InlineData("gone", "gone generation_not_found")]
    [InlineData("4665A07C-7641-4809-A133-10786201BB56", "4665a07c-7641-4809-a133-10786201bb56 Completed,4665a07c-7641-4809-a133-10786201bb56 Processing")]
    public async Task Followed_generations_have_each_state_once_and_an_unknown_one_a_problem(string ids, string expected)
    {
        var counts = new ConcurrentDictionary<string, int>();
        _gateway.Upstream.Always((request, _) =>
        {
            var id = request.RequestUri!.Segments[^1];
            var count = counts.AddOrUpdate(id, 1, (_, before) => before + 1);
            return Task.FromResult(id is "gone" ? ScriptedUpstream.Json("{}", HttpStatusCode.NotFound)
                : ScriptedUpstream.Json(count > 2 ? Samples.CompletedAs(id) : Samples.Interim(id, id is "g2" ? "queued" : "processing")));
        });
        using var tested = TestedClient.Of(_gateway);

        var items = await _gateway.Clock.UntilAsync(FollowManyAsync(tested.Client, ids.Split(' ')));

        Assert.Equal(expected.Split(','), items.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task More_ids_than_the_gateway_allows_are_a_problem()
    {
        using var tested = TestedClient.Of(_gateway);

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => FollowManyAsync(tested.Client, [.. Enumerable.Range(0, 51).Select(i => $"g{i}")]));

        Assert.Equal(("invalid_request", 0), (fault.Code, _gateway.Upstream.RequestCount));
    }

    private static async Task<List<string>> FollowManyAsync(LumaGatewayClient client, string[] ids)
    {
        var items = new List<string>();
        await foreach (var item in client.FollowManyAsync(ids, TestContext.Current.CancellationToken))
        {
            items.Add($"{item.Id} {item.Generation?.State.ToString() ?? item.Problem?.Code}");
        }

        return items;
    }

    private static async Task<List<GenerationState>> FollowAsync(LumaGatewayClient client, string id)
    {
        var states = new List<GenerationState>();
        await foreach (var generation in client.FollowAsync(id, TestContext.Current.CancellationToken))
        {
            states.Add(generation.State);
        }

        return states;
    }
}
