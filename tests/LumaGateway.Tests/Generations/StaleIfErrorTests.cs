using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Generations;

[Collection(RunsAlone.Name)]
public sealed class StaleIfErrorTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_stale_entry_is_served_if_every_attempt_fails()
    {
        _gateway.Upstream.ThenJson(Samples.Failed("g1")).AlwaysJson("{}", HttpStatusCode.InternalServerError);
        using var caller = _gateway.CreateCaller();
        using var first = await caller.SendGetAsync("/generations/g1");
        _gateway.Clock.Advance(TimeSpan.FromHours(1) + TimeSpan.FromMinutes(1));

        using var stale = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        Assert.Equal(HttpStatusCode.OK, stale.StatusCode);
        Assert.Equal(first.Header("ETag"), stale.Header("ETag"));
        Assert.Matches("^LumaGateway; hit; ttl=-[0-9]+; detail=upstream_failed$", stale.Header("Cache-Status"));
        Assert.Equal("private, no-cache", stale.Header("Cache-Control"));
    }
}
