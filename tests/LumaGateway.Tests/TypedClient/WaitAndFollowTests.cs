extern alias client;

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
