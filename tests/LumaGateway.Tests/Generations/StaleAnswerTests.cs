using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Generations;

/// <summary>A stale answer over an upstream that fails at every attempt.</summary>
[Collection(RunsAlone.Name)]
public sealed class StaleAnswerTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_failing_upstream_is_covered_by_the_stale_answer()
    {
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).AlwaysJson("{}", HttpStatusCode.InternalServerError);
        using var caller = _gateway.CreateCaller();
        using var first = await caller.AskAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromMinutes(1));

        using var covered = await _gateway.Clock.UntilAsync(caller.AskAsync("/generations/g1"));

        Assert.Equal(HttpStatusCode.OK, covered.StatusCode);
        Assert.Equal(first.Header("ETag"), covered.Header("ETag"));
        Assert.Matches("^LumaGateway; hit; ttl=-[0-9]+; detail=upstream_failed$", covered.Header("Cache-Status"));
        Assert.Equal("private, no-cache", covered.Header("Cache-Control"));
    }
}
