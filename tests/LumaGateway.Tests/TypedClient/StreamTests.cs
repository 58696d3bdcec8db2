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
    public async Task A_stream_of_several_resumes_with_the_last_event_id_and_ends_when_every_state_is_final_or_the_id_unknown()
    {
        _gateway.ThenThrow(new HttpRequestException("connection refused"))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("-q-", "b", "queued") + ProblemEventOf("-qa", "c"), isCut: true)))
            .Then((_, _) => Task.FromResult(ProblemOf(503, "gateway_saturated", retryAfter: 2)))
            .Then((_, _) => Task.FromResult(StreamOf("event: later\ndata: x\n\n" + EventOf("cqa", "a", "completed"), isSilent: true)))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("cfa", "b", "failed"), isSilent: true)));

        var items = await _clock.UntilAsync(FollowManyAsync("a", "b", "c", "b"));

        Assert.Equal(["b Queued", "c generation_not_found", "a Completed", "b Failed"], items);
        Assert.Equal(["", "", "-qa", "-qa", "cqa"], _gateway.Received.Select(request => request.Headers.GetValueOrDefault("Last-Event-ID", "")));
        Assert.All(_gateway.Received, request => Assert.Equal("/generations/events?ids=a,b,c", request.Address.PathAndQuery));
    }

    [Fact]
    public async Task A_stream_of_several_goes_on_for_an_id_that_was_unknown_at_first()
    {
        _gateway.Then((_, _) => Task.FromResult(StreamOf(ProblemEventOf("a-", "a") + EventOf("p-", "a", "processing") + EventOf("pc", "b", "completed"))))
            .Then((_, _) => Task.FromResult(StreamOf(EventOf("cc", "a", "completed"))));

        var items = await _clock.UntilAsync(FollowManyAsync("a", "b"));

        Assert.Equal(["a generation_not_found", "a Processing", "b Completed", "a Completed"], items);
    }

    [Fact]
    public async Task A_stream_of_several_ends_with_204()
    {
        _gateway.Then((_, _) => Task.FromResult(StreamOf(EventOf("p-", "a", "processing") + EventOf("pc", "b", "completed"))))
            .Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent)));

        Assert.Equal(["a Processing", "b Completed"], await _clock.UntilAsync(FollowManyAsync("a", "b")));
        Assert.Equal(2, _gateway.RequestCount);
    }

    [Fact]
    public async Task A_stream_of_several_with_too_many_ids_or_without_permission_is_a_problem()
    {
        _gateway.Then((_, _) => Task.FromResult(ProblemOf(400, "invalid_request"))).Then((_, _) => Task.FromResult(ProblemOf(404, "generation_not_found")));

        foreach (var code in new[] { "invalid_request", "generation_not_found" })
        {
            var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => _clock.UntilAsync(FollowManyAsync("a", "b")));
            Assert.Equal(code, fault.Code);
        }
    }

    [Fact]
    public async Task A_stream_of_no_ids_ends_at_once_and_a_malformed_id_is_never_sent()
    {
        Assert.Empty(await FollowManyAsync());
        await Assert.ThrowsAsync<ArgumentException>(() => FollowManyAsync("a", "b,c"));

        Assert.Equal(0, _gateway.RequestCount);
    }

    [Theory]
    [InlineData("""{"id":"a"}""")]
    [InlineData("[]")]
    public async Task A_problem_event_of_another_shape_is_an_unexpected_response(string data)
    {
        _gateway.Then((_, _) => Task.FromResult(StreamOf($"event: problem\nid: a-\ndata: {data}\n\n")));

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => FollowManyAsync("a", "b"));

        Assert.Equal(LumaGatewayException.Unexpected, fault.Code);
    }

    [Fact]
    public async Task A_cancelled_stream_of_several_is_cancelled_and_not_a_fault()
    {
        using var cancellation = new CancellationTokenSource();
        _gateway.Then((_, _) => Task.FromResult(StreamOf(EventOf("p-", "a", "processing"), isSilent: true)));
        await using var items = _tested.Client.FollowManyAsync(["a", "b"], cancellation.Token).GetAsyncEnumerator(Cancelled);
        Assert.True(await items.MoveNextAsync());

        var next = items.MoveNextAsync().AsTask();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
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

    /// <summary>Returns the id of each item, and its state or problem.</summary>
    private async Task<List<string>> FollowManyAsync(params string[] ids)
    {
        var items = new List<string>();
        await foreach (var item in _tested.Client.FollowManyAsync(ids, Cancelled))
        {
            items.Add($"{item.Id} {item.Generation?.State.ToString() ?? item.Problem?.Code}");
        }

        return items;
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
