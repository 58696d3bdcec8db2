using System.Net;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Creating;

/// <summary>Deletes at <c>DELETE /generations/{id}</c>. Needs nothing.</summary>
public sealed class DeleteTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Luma:Dialect", "dream-machine");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_deleted_generation_is_deleted_at_the_upstream_and_purged()
    {
        _gateway.Upstream
            .ThenJson("""{"id":"g1","state":"completed","assets":{"video":"https://h/v.mp4"}}""")
            .Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent)))
            .ThenJson("""{"detail":"Generation not found"}""", HttpStatusCode.NotFound);
        using var caller = _gateway.CreateCaller();
        using var before = await caller.SendGetAsync("/generations/g1");

        using var response = await DeleteAsync(caller);
        using var after = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("LumaGateway; fwd=method; detail=purged", response.Header("Cache-Status"));
        await after.ProblemAsync(404, "generation_not_found");
        Assert.Equal([HttpMethod.Get, HttpMethod.Delete, HttpMethod.Get], _gateway.Upstream.Received.Select(request => request.Method));
        Assert.All(_gateway.Upstream.Received, request => Assert.Equal("/luma/generations/g1", request.Address.AbsolutePath));
    }

    [Theory]
    [InlineData(404, 404, "generation_not_found")]
    [InlineData(410, 404, "generation_not_found")]
    [InlineData(401, 502, "upstream_token_refused")]
    [InlineData(409, 502, "upstream_rejected")]
    [InlineData(429, 503, "upstream_throttled")]
    [InlineData(500, 502, "upstream_failed")]
    public async Task A_refused_delete_is_a_problem(int status, int expected, string code)
    {
        _gateway.Upstream.ThenJson("""{"detail":"text of the upstream"}""", (HttpStatusCode)status);
        using var caller = _gateway.CreateCaller();

        using var response = await DeleteAsync(caller);

        var problem = await response.ProblemAsync(expected, code);
        Assert.DoesNotContain("text of the upstream", problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_503_with_Retry_After_is_throttling_and_purges_nothing()
    {
        _gateway.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json("{}", HttpStatusCode.ServiceUnavailable);
            response.Headers.Add("Retry-After", "30");
            return Task.FromResult(response);
        });
        using var caller = _gateway.CreateCaller();

        using var response = await DeleteAsync(caller);

        await response.ProblemAsync(503, "upstream_throttled");
        Assert.Equal(("30", ""), (response.Header("Retry-After"), response.Header("Cache-Status")));
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, true)]
    [InlineData(HttpStatusCode.PaymentRequired, true)]
    [InlineData(HttpStatusCode.InternalServerError, false)]
    public async Task A_delete_that_refuses_the_account_is_recorded_for_the_account(HttpStatusCode status, bool isRefused)
    {
        _gateway.Upstream.ThenJson("{}", status);
        using var caller = _gateway.CreateCaller();

        using var response = await DeleteAsync(caller);

        Assert.Equal(isRefused, _gateway.Services.GetRequiredService<UpstreamAccounts>().First.State.RefusedFor is not null);
    }

    [Theory]
    [InlineData("relay")]
    [InlineData("agents")]
    [InlineData("new-api")]
    [InlineData("piapi")]
    public async Task Where_the_upstream_cannot_delete_the_response_is_409_and_nothing_is_sent(string dialect)
    {
        using var caller = _gateway.With("Luma:Dialect", dialect).CreateCaller();

        using var response = await DeleteAsync(caller);

        var problem = await response.ProblemAsync(409, "not_cancellable");
        Assert.Contains(dialect, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_delete_needs_its_permission()
    {
        using var caller = _gateway.With("Access:Clients:0:Rights:3", "read").CreateCaller();

        using var response = await DeleteAsync(caller);

        await response.ProblemAsync(403, "forbidden");
    }

    [Fact]
    public async Task A_delete_that_takes_too_long_is_a_504_and_purges_the_generation()
    {
        _gateway.Upstream.Then(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return null!;
        });
        using var caller = _gateway.CreateCaller();

        var sending = DeleteAsync(caller);
        await _gateway.Upstream.WaitForRequestsAsync(1);
        _gateway.Clock.Advance(TimeSpan.FromMinutes(1));

        using var response = await sending;
        await response.ProblemAsync(504, "upstream_timed_out");
        Assert.Contains("purged", response.Header("Cache-Status"), StringComparison.Ordinal);
    }

    private static Task<HttpResponseMessage> DeleteAsync(HttpClient caller) => caller.DeleteAsync(new Uri("/generations/g1", UriKind.Relative), TestContext.Current.CancellationToken);
}
