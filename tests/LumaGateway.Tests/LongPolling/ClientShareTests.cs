using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.LongPolling;

[Collection(RunsAlone.Name)]
public sealed class ClientShareTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Waiting:Max", "4").With("Waiting:ClientShare", "0.5")
        .With("Access:Clients:1:Name", "second").With("Access:Clients:1:KeySha256", Gateway.Digest("other-key"));

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("/generations/g9/events", null)]
    [InlineData("/generations/events?ids=g8,g9", null)]
    [InlineData("/generations/g9", "wait=5")]
    public async Task A_client_beyond_its_share_of_waiters_gets_429(string path, string? prefer)
    {
        _gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Interim(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();
        using var other = _gateway.CreateCallerWithoutKey();
        other.DefaultRequestHeaders.Add("X-Api-Key", "other-key");
        using var first = await StreamAsync(caller);
        using var second = await StreamAsync(caller);

        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Prefer", prefer is null ? [] : [prefer]);
        using var third = await _gateway.Clock.UntilAsync(caller.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken));
        using var others = await StreamAsync(other);
        first.Dispose();

        await third.ProblemAsync(429, "rate_limited");
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
        await Poll.UntilAsync(async () =>
        {
            using var again = await StreamAsync(caller);
            return again.StatusCode is HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task Beyond_the_limit_of_all_waiters_the_response_is_503()
    {
        _gateway.With("Waiting:Max", "1").With("Waiting:ClientShare", "1")
            .Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Interim(request.RequestUri!.Segments[^1]))));
        using var caller = _gateway.CreateCaller();
        using var other = _gateway.CreateCallerWithoutKey();
        other.DefaultRequestHeaders.Add("X-Api-Key", "other-key");
        using var first = await StreamAsync(caller);

        using var second = await StreamAsync(other);

        await second.ProblemAsync(503, "gateway_saturated");
    }

    private static Task<HttpResponseMessage> StreamAsync(HttpClient client) =>
        client.GetAsync("/generations/g1/events", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
}
