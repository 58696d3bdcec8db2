using System.Net;
using System.Text;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Proxy;

/// <summary>An upstream that responds before it has received the whole body of a POST. Needs nothing.</summary>
public sealed class CompletedUpstreamResponseTests : IDisposable
{
    private readonly Gateway _gateway = new();
    private Exception? _failure;

    public CompletedUpstreamResponseTests() => _gateway.With(services => services.Replace(
        ServiceDescriptor.Singleton<IForwarderHttpClientFactory>(provider => new ClientFactory(provider, new EarlyUpstream(this)))));

    public static TheoryData<string?, bool> Cases => new() { { null, false }, { null, true }, { "key", false }, { "key", true } };

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Its_response_is_passed_on_and_decides_the_outcome(string? key, bool isCancelled)
    {
        _failure = isCancelled ? new OperationCanceledException() : new IOException("The stream was reset.");
        using var caller = _gateway.CreateCaller();
        _gateway.Upstream.ThenJson("""{"detail":"slow down"}""", HttpStatusCode.TooManyRequests).ThenJson("""{"id":"g1","state":"pending"}""", HttpStatusCode.Created);

        using var refused = await SendAsync(caller, key);
        using var created = await SendAsync(caller, key); // the key is free

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("""{"detail":"slow down"}""", await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        using var jobs = await caller.SendGetAsync("/jobs");
        Assert.Equal("g1", Assert.Single((await jobs.JsonAsync()).GetProperty("jobs").EnumerateArray()).GetProperty("id").GetString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("key")]
    public async Task A_response_that_breaks_off_too_leaves_the_outcome_unknown(string? key)
    {
        _failure = new IOException("The stream was reset.");
        using var caller = _gateway.CreateCaller();
        _gateway.Upstream.Then((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Created) { Content = new StreamContent(new BrokenStream()) }));

        using var broken = await SendAsync(caller, key);

        Assert.Equal("application/problem+json", broken.Content.Headers.ContentType?.MediaType);
        Assert.Equal((HttpStatusCode.BadGateway, "false"), (broken.StatusCode, broken.Header("x-should-retry")));
        using var jobs = await caller.SendGetAsync("/jobs");
        Assert.Equal("unknown", Assert.Single((await jobs.JsonAsync()).GetProperty("jobs").EnumerateArray()).GetProperty("state").GetString());
        if (key is not null)
        {
            using var repeated = await SendAsync(caller, key);
            await repeated.ProblemAsync(409, "outcome_unknown");
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient caller, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent("""{"user_prompt":"a cat"}""", Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private sealed class ClientFactory(IServiceProvider services, HttpMessageHandler upstream) : IForwarderHttpClientFactory
    {
        public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) =>
            new HttpMessageInvoker(new AccountHandler(services.GetRequiredService<UpstreamAccounts>(), upstream), disposeHandler: false);
    }

    /// <summary>Ends the transfer of the body, and responds.</summary>
    private sealed class EarlyUpstream(CompletedUpstreamResponseTests test) : DelegatingHandler(test._gateway.Upstream)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await request.Content!.CopyToAsync(new ResetStream(test._failure!), cancellationToken); // YARP records the failure and does not throw
            var response = await base.SendAsync(request, cancellationToken);
            response.RequestMessage = request;
            return response;
        }
    }

    private sealed class ResetStream(Exception failure) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw failure;
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("The connection was lost.");
    }
}
