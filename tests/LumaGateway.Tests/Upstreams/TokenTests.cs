using System.Collections.Concurrent;
using System.Net;
using System.Text;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

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

    [Theory]
    [InlineData(64, 2)]
    [InlineData(65, 1)]
    public async Task With_two_tokens_a_body_too_large_to_be_stored_in_memory_is_sent_once(int mebibytes, int requests)
    {
        _gateway.With("Luma:ApiKey", "old-token,new-token");
        _gateway.Upstream.Always((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.Unauthorized)));
        using var credential = new CredentialHandler(_gateway.Services.GetRequiredService<UpstreamAccounts>().First) { InnerHandler = _gateway.Upstream };
        using var invoker = new HttpMessageInvoker(credential);
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://upstream.test/luma/files") { Content = new StreamContent(new MemoryStream(new byte[mebibytes * 1024 * 1024])) };

        using var response = await invoker.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal(requests, _gateway.Upstream.RequestCount);
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

    private void AcceptTokens(params string[] accepted) => _gateway.Upstream.Always((request, _) => Task.FromResult(
        accepted.Contains(request.Headers.Authorization?.Parameter)
            ? ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))
            : ScriptedUpstream.Json("""{"detail":"no"}""", HttpStatusCode.Unauthorized)));

    private string Sent() => string.Join(' ', _gateway.Upstream.Received.Select(request => request.Headers["Authorization"].Replace("Bearer ", "", StringComparison.Ordinal)));
}
