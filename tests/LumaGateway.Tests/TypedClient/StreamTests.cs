extern alias client;

using System.Net;
using System.Text;
using client::LumaGateway.Client;
using LumaGateway.Tests.Support;
using GenerationState = client::LumaGateway.Contracts.GenerationState;
using static LumaGateway.Tests.TypedClient.GatewayResponses;

namespace LumaGateway.Tests.TypedClient;

/// <summary>Streams and downloads of the .NET client that end, break off or fall silent. Scripted responses, fake clock.</summary>
[Collection(RunsAlone.Name)]
public sealed class StreamTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;

    private readonly ScriptedUpstream _gateway = new();
    private readonly TestClock _clock = new(new DateTimeOffset(2026, 4, 8, 12, 0, 0, TimeSpan.Zero));
    private readonly TestedClient _tested;

    public StreamTests() => _tested = new TestedClient(_gateway, _clock);

    public void Dispose()
    {
        _tested.Dispose();
        _gateway.Dispose();
    }

    [Fact]
    public async Task A_stream_resumes_with_the_last_event_id_after_a_loss_a_refusal_and_silence()
    {
        _gateway.ThenThrow(new HttpRequestException("connection refused"))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("queued"), isCut: true)))
            .Then((_, _) => Task.FromResult(ProblemOf(503, "gateway_saturated", retryAfter: 2)))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("processing"), isSilent: true)))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("completed"))));

        var states = await _clock.UntilAsync(FollowAsync());

        Assert.Equal([GenerationState.Queued, GenerationState.Processing, GenerationState.Completed], states);
        Assert.Equal(["", "", "q", "q", "p"], _gateway.Received.Select(request => request.Headers.GetValueOrDefault("Last-Event-ID", "")));
    }

    [Fact]
    public async Task A_stream_reconnects_after_the_time_that_the_gateway_asks_for_and_ends_with_204()
    {
        _gateway.Then((_, _) => Task.FromResult(StreamOf($"{EventOf("processing")}retry: 2500\n\n")))
            .Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent)));
        var startedAt = _clock.GetUtcNow();

        var states = await _clock.UntilAsync(FollowAsync());

        Assert.Equal([GenerationState.Processing], states);
        Assert.Equal(TimeSpan.FromSeconds(2.5), _clock.GetUtcNow() - startedAt);
    }

    [Fact]
    public async Task A_stream_of_an_unknown_generation_is_a_problem()
    {
        _gateway.Always((_, _) => Task.FromResult(ProblemOf(404, "generation_not_found")));

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _clock.UntilAsync(FollowAsync()));

        Assert.Equal("generation_not_found", fault.Code);
    }

    [Fact]
    public async Task A_download_without_a_byte_for_too_long_fails()
    {
        _gateway.Then((_, _) => Task.FromResult(new HttpResponseMessage { Content = new StreamContent(new Body("half", isCut: false, isSilent: true)) }));
        using var asset = await _tested.Client.OpenAssetAsync("g1", AssetKind.Video, null, Cancelled);
        using var read = new MemoryStream();

        await Assert.ThrowsAsync<IOException>(() => _clock.UntilAsync(CopyAsync()));

        Assert.Equal("half", Encoding.UTF8.GetString(read.ToArray()));

        async Task<bool> CopyAsync()
        {
            await asset.Content.CopyToAsync(read, Cancelled);
            return true;
        }
    }

    private async Task<List<GenerationState>> FollowAsync()
    {
        var states = new List<GenerationState>();
        await foreach (var generation in _tested.Client.FollowAsync("g1", Cancelled))
        {
            states.Add(generation.State);
        }

        return states;
    }
}
