using System.Net;
using System.Net.Http.Headers;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>The limits of request bodies that are read before they are forwarded. Needs nothing.</summary>
public sealed class RequestBodyTests : IDisposable
{
    private const int Bytes = 900_000;

    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task Bodies_beyond_the_storage_are_refused_until_another_request_ends()
    {
        _raw.Gateway.With("Passthrough:MaxBodyBytes", $"{Bytes}").With("Passthrough:MaxStoredBytes", "1000000");
        var held = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => held.Task).ThenJson("{}", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        var first = UploadAsync(caller, Bytes);
        await _raw.Upstream.WaitForRequestsAsync(1);

        using var refused = await UploadAsync(caller, Bytes);
        held.SetResult(ScriptedUpstream.Json("{}", HttpStatusCode.Created));
        using var response = await first;
        using var next = await UploadAsync(caller, Bytes);

        await refused.ProblemAsync(503, "body_storage_unavailable");
        Assert.Contains("Passthrough:MaxStoredBytes is reached", Assert.Single(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 4305).Message, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (response.StatusCode, next.StatusCode));
    }

    [Theory]
    [InlineData(0, HttpStatusCode.Created)]
    [InlineData(100_000, HttpStatusCode.RequestEntityTooLarge)]
    public async Task What_the_gateway_adds_to_a_body_does_not_count_for_its_limit(int beyond, HttpStatusCode expected)
    {
        _raw.Gateway.With("Luma:SendUserId", "true").With("Passthrough:MaxBodyBytes", $"{Bytes}");
        _raw.Upstream.ThenJson("""{"id":"g1","state":"pending"}""", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        var body = $$"""{"prompt":"{{new string('x', Bytes + beyond - 13)}}"}""";

        using var response = await caller.PostAsync(new Uri("/luma/generations", UriKind.Relative), new StringContent(body), TestContext.Current.CancellationToken);

        Assert.Equal((Bytes + beyond, expected), (body.Length, response.StatusCode));
    }

    private static async Task<HttpResponseMessage> UploadAsync(HttpClient caller, int bytes)
    {
        using var content = new ByteArrayContent(new byte[bytes]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await caller.PostAsync(new Uri("/luma/files", UriKind.Relative), content, TestContext.Current.CancellationToken);
    }
}
