using System.Collections.Concurrent;
using System.Net;
using System.Text;
using LumaGateway.Proxy;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Tests.Upstreams;

/// <summary>The requests that carry the upstream token.</summary>
public sealed class TokenTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("/generations/g1")]
    [InlineData("/luma/generations/g1")]
    public async Task The_token_is_not_sent_to_the_target_of_a_redirect(string path)
    {
        var requestsToTarget = 0;
        await using var target = await Loopback.StartAsync(_ =>
        {
            Interlocked.Increment(ref requestsToTarget);
            return Task.CompletedTask;
        });
        await using var upstream = await Loopback.StartAsync(context =>
        {
            context.Response.Redirect($"{target.Address}/stolen", permanent: false);
            return Task.CompletedTask;
        });
        _gateway.WithUpstream(upstream.Address);
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync(path);

        Assert.Equal(0, requestsToTarget);
        Assert.NotEqual(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("http://assets.test/video.mp4")]
    [InlineData("https://upstream.test/luma/generations/g1")]
    [InlineData("http://upstream.test:8080/luma/generations/g1")]
    [InlineData("http://upstream.test.evil.test/luma/generations/g1")]
    [InlineData("http://upstream.test@evil.test/luma/generations/g1")]
    public async Task The_token_is_not_added_to_a_request_to_another_origin(string address)
    {
        using var credential = new CredentialHandler(_gateway.Services.GetRequiredService<UpstreamAccounts>().First) { InnerHandler = _gateway.Upstream };
        using var invoker = new HttpMessageInvoker(credential);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);

        await Assert.ThrowsAsync<InvalidOperationException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken));

        Assert.Equal(0, _gateway.Upstream.RequestCount);
        Assert.False(request.Headers.Contains("Authorization"));
    }

    [Fact]
    public async Task The_accepted_token_is_sent_first_by_later_requests()
    {
        _gateway.With("Luma:ApiKey", "old-token,new-token");
        AcceptTokens("new-token");
        using var caller = _gateway.CreateCaller();

        foreach (var id in new[] { "a", "b", "c" })
        {
            using var response = await caller.SendGetAsync($"/generations/{id}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal("old-token new-token new-token new-token", Sent());
    }

    [Fact]
    public async Task The_passthrough_also_tries_the_second_token()
    {
        var sent = new ConcurrentQueue<string>();
        await using var upstream = await Loopback.StartAsync(async context =>
        {
            var token = context.Request.Headers.Authorization.ToString();
            sent.Enqueue(token);
            context.Response.StatusCode = token == "Bearer new-token" ? 200 : 401;
            await context.Response.WriteAsync("{}", context.RequestAborted);
        });
        _gateway.WithUpstream(upstream.Address).With("Luma:ApiKey", "old-token,new-token");
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/luma/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["Bearer old-token", "Bearer new-token"], sent);
    }

    [Fact]
    public async Task The_complete_body_is_sent_again_with_the_second_token()
    {
        var bodies = new ConcurrentQueue<string>();
        await using var upstream = await Loopback.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            bodies.Enqueue(await reader.ReadToEndAsync(context.RequestAborted));
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer new-token" ? 201 : 401;
        });
        _gateway.WithUpstream(upstream.Address).With("Luma:ApiKey", "old-token,new-token")
            .With("ReverseProxy:Routes:creating:ClusterId", "luma")
            .With("ReverseProxy:Routes:creating:Match:Path", "/luma/created")
            .With("ReverseProxy:Routes:creating:Match:Methods:0", "POST")
            .With("ReverseProxy:Routes:creating:Transforms:0:PathRemovePrefix", "/luma");
        using var caller = _gateway.CreateCaller();
        using var content = new StringContent("""{"prompt":"cat dance"}""", Encoding.UTF8, "application/json");

        using var response = await caller.PostAsync("/luma/created", content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(["""{"prompt":"cat dance"}""", """{"prompt":"cat dance"}"""], bodies);
    }

    [Theory]
    [InlineData(64 * 1024 * 1024, "old-token new-token", HttpStatusCode.OK)]
    [InlineData((64 * 1024 * 1024) + 1, "old-token", HttpStatusCode.Unauthorized)]
    public async Task A_body_that_is_too_large_to_buffer_is_sent_once(int length, string sent, HttpStatusCode status)
    {
        _gateway.With("Luma:ApiKey", "old-token,new-token");
        AcceptTokens("new-token");
        using var credential = new CredentialHandler(_gateway.Services.GetRequiredService<UpstreamAccounts>().First) { InnerHandler = _gateway.Upstream };
        using var invoker = new HttpMessageInvoker(credential);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://upstream.test/luma/generations") { Content = new ByteArrayContent([]) { Headers = { ContentLength = length } } };

        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal((sent, status), (Sent(), response.StatusCode));
    }

    [Theory]
    [InlineData("/generations")]
    [InlineData("/luma/generations")]
    public async Task A_create_that_is_not_sent_with_the_second_token_can_be_repeated(string path)
    {
        _gateway.With("Luma:ApiKey", "old-token,new-token").With(services =>
        {
            services.AddHttpClient(UpstreamAccount.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => _gateway.Upstream);
            services.Replace(ServiceDescriptor.Singleton<IForwarderHttpClientFactory>(provider => new ClientFactory(provider, _gateway.Upstream)));
        });
        _gateway.Upstream
            .Then(async (request, cancellationToken) =>
            {
                await request.Content!.CopyToAsync(Stream.Null, cancellationToken);
                return ScriptedUpstream.Json("{}", HttpStatusCode.Unauthorized);
            })
            .ThenThrow(new HttpRequestException(HttpRequestError.ConnectionError))
            .ThenJson("""{"id":"g1","state":"queued"}""", HttpStatusCode.Created);
        using var caller = _gateway.CreateCaller();
        caller.DefaultRequestHeaders.Add("Idempotency-Key", "k1");

        using var failed = await caller.PostAsync(path, new StringContent("""{"prompt":"cat dance"}"""), TestContext.Current.CancellationToken);
        using var repeated = await caller.PostAsync(path, new StringContent("""{"prompt":"cat dance"}"""), TestContext.Current.CancellationToken);

        await failed.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal(HttpStatusCode.Created, repeated.StatusCode);
    }

    private void AcceptTokens(params string[] accepted) => _gateway.Upstream.Always((request, _) => Task.FromResult(
        accepted.Contains(request.Headers.Authorization?.Parameter)
            ? ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))
            : ScriptedUpstream.Json("""{"detail":"no"}""", HttpStatusCode.Unauthorized)));

    private string Sent() => string.Join(' ', _gateway.Upstream.Received.Select(request => request.Headers["Authorization"].Replace("Bearer ", "", StringComparison.Ordinal)));

    /// <summary>The gateway's handlers without the socket.</summary>
    private sealed class ClientFactory(IServiceProvider services, HttpMessageHandler handler) : IForwarderHttpClientFactory
    {
        public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) =>
            new HttpMessageInvoker(new AccountHandler(services.GetRequiredService<UpstreamAccounts>(), handler), disposeHandler: false);
    }
}
