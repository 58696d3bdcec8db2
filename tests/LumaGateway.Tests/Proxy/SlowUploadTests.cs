using System.Net;
using System.Net.Http.Headers;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Proxy;

/// <summary>Callers that send the body of a request slowly. Needs nothing.</summary>
public sealed class SlowUploadTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Theory]
    [InlineData("/luma/files", "multipart/form-data")]
    [InlineData("/luma/generations", "application/json")]
    [InlineData("/luma/generations", "application/grpc")]
    public async Task A_slow_upload_holds_nothing_of_the_upstream_and_arrives_as_a_whole(string path, string type)
    {
        _raw.Gateway.With("Limits:Upstream:Concurrency", "1").With("Luma:MaxConcurrentJobs", "1");
        _raw.Upstream.Always((request, _) => Task.FromResult(
            request.Method == HttpMethod.Post ? ScriptedUpstream.Json("""{"id":"g1","state":"pending"}""", HttpStatusCode.Created) : ScriptedUpstream.Json(Samples.Failed("g2"))));
        using var caller = _raw.CreateCaller();
        using var body = new SlowContent(type);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body };
        var upload = caller.SendAsync(request, TestContext.Current.CancellationToken);
        await _raw.Gateway.PendingRequests.WaitForAsync(1);

        Assert.Equal(0, _raw.Gateway.Services.GetRequiredService<UpstreamAccounts>().First.Limiter.Active);
        using var read = await caller.SendGetAsync("/generations/g2");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        body.Complete();

        using var response = await upload;
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(["{}"], _raw.Bodies);
    }

    private sealed class SlowContent : HttpContent
    {
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SlowContent(string type) => Headers.ContentType = new MediaTypeHeaderValue(type);

        public void Complete() => _complete.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync("{"u8.ToArray());
            await stream.FlushAsync();
            await _complete.Task;
            await stream.WriteAsync("}"u8.ToArray());
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 2;
            return true;
        }
    }
}
