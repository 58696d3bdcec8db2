using System.Collections.Concurrent;
using System.Net;
using System.Text;
using LumaGateway.Tests.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams;

/// <summary>Where the upstream token goes, where it never goes, and how it changes.</summary>
public sealed class TokenTests : IDisposable
{
    private readonly Gateway _gateway = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("luma-token-");

    public void Dispose()
    {
        _gateway.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("/generations/g1")]
    [InlineData("/luma/generations/g1")]
    public async Task The_token_is_never_sent_along_a_redirect(string path)
    {
        var elsewhere = 0;
        await using var target = await Loopback.StartAsync(_ =>
        {
            Interlocked.Increment(ref elsewhere);
            return Task.CompletedTask;
        });
        await using var upstream = await Loopback.StartAsync(context =>
        {
            context.Response.Redirect($"{target.Address}/stolen", permanent: false);
            return Task.CompletedTask;
        });
        _gateway.To(upstream.Address);
        using var caller = _gateway.CreateCaller();

        using var response = await caller.AskAsync(path);

        Assert.Equal(0, elsewhere);
        Assert.NotEqual(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("http://assets.test/video.mp4")]
    [InlineData("https://upstream.test/luma/generations/g1")]
    [InlineData("http://upstream.test:8080/luma/generations/g1")]
    [InlineData("http://upstream.test.evil.test/luma/generations/g1")]
    [InlineData("http://upstream.test@evil.test/luma/generations/g1")]
    public async Task The_token_is_put_into_no_request_to_another_origin(string address)
    {
        var credential = _gateway.Services.GetRequiredService<CredentialHandler>();
        credential.InnerHandler = _gateway.Upstream;
        using var invoker = new HttpMessageInvoker(credential);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);

        await Assert.ThrowsAsync<InvalidOperationException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken));

        Assert.Equal(0, _gateway.Upstream.Asked);
        Assert.False(request.Headers.Contains("Authorization"));
    }

    [Fact]
    public async Task The_token_that_was_good_is_sent_first_from_then_on()
    {
        _gateway.With("Luma:ApiKey", "old-token,new-token");
        Answer("new-token");
        using var caller = _gateway.CreateCaller();

        foreach (var id in new[] { "a", "b", "c" })
        {
            using var response = await caller.AskAsync($"/generations/{id}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal("old-token new-token new-token new-token", Sent());
    }

    [Fact]
    public async Task The_passthrough_tries_the_second_token_too()
    {
        var sent = new ConcurrentQueue<string>();
        await using var upstream = await Loopback.StartAsync(async context =>
        {
            var token = context.Request.Headers.Authorization.ToString();
            sent.Enqueue(token);
            context.Response.StatusCode = token == "Bearer new-token" ? 200 : 401;
            await context.Response.WriteAsync("{}", context.RequestAborted);
        });
        _gateway.To(upstream.Address).With("Luma:ApiKey", "old-token,new-token");
        using var caller = _gateway.CreateCaller();

        using var response = await caller.AskAsync("/luma/generations/g1");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["Bearer old-token", "Bearer new-token"], sent);
    }

    [Fact]
    public async Task A_body_is_sent_again_whole_with_the_second_token()
    {
        var bodies = new ConcurrentQueue<string>();
        await using var upstream = await Loopback.StartAsync(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            bodies.Enqueue(await reader.ReadToEndAsync(context.RequestAborted));
            context.Response.StatusCode = context.Request.Headers.Authorization == "Bearer new-token" ? 201 : 401;
        });
        _gateway.To(upstream.Address).With("Luma:ApiKey", "old-token,new-token")
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

    [Fact]
    public async Task A_changed_file_is_taken_over_without_a_restart()
    {
        File.WriteAllText(TokenFile, "old-token\n");
        Answer("old-token", "new-token");
        using var caller = Begin();
        await AskAsync(caller, "a");

        File.WriteAllText(TokenFile, "new-token\n");
        await LookAsync();
        await AskAsync(caller, "b");

        Assert.Equal("old-token new-token", Sent());
    }

    [Fact]
    public async Task A_symlink_that_is_swapped_is_taken_over_as_Kubernetes_does_it()
    {
        foreach (var (version, token) in new[] { ("..v1", "old-token"), ("..v2", "new-token") })
        {
            File.WriteAllText(Path.Combine(_folder.CreateSubdirectory(version).FullName, "token"), token);
        }

        var data = Path.Combine(_folder.FullName, "..data");
        Directory.CreateSymbolicLink(data, "..v1");
        File.CreateSymbolicLink(TokenFile, Path.Combine("..data", "token"));
        Answer("old-token", "new-token");
        using var caller = Begin();
        await AskAsync(caller, "a");

        Directory.CreateSymbolicLink($"{data}_tmp", "..v2");
        Directory.Delete(data);
        Directory.Move($"{data}_tmp", data);
        await LookAsync();
        await AskAsync(caller, "b");

        Assert.Equal("old-token new-token", Sent());
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("half of a tok en")]
    [InlineData("one\ntwo\nthree")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public async Task A_file_that_holds_no_token_keeps_the_old_one_and_warns_once(string content)
    {
        File.WriteAllText(TokenFile, "old-token");
        Answer("old-token");
        using var caller = Begin();

        File.WriteAllText(TokenFile, content);
        await LookAsync();
        await AskAsync(caller, "a");

        Assert.Equal("old-token", Sent());
        Assert.Single(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 3002);
    }

    [Fact]
    public async Task A_file_that_is_gone_or_huge_keeps_the_old_token()
    {
        File.WriteAllText(TokenFile, "old-token");
        Answer("old-token");
        using var caller = Begin();

        File.Delete(TokenFile);
        await LookAsync();
        await AskAsync(caller, "a");
        File.WriteAllText(TokenFile, new string('x', 1024 * 1024));
        await LookAsync();
        await AskAsync(caller, "b");

        Assert.Equal("old-token old-token", Sent());
    }

    [Fact]
    public async Task A_file_in_the_middle_of_being_written_is_never_believed()
    {
        File.WriteAllText(TokenFile, "old-token");
        Answer("old-token");
        using var caller = Begin();

        // Longer with every look, as a writer without a rename leaves it.
        for (var length = 1; length < 9; length++)
        {
            File.WriteAllText(TokenFile, "new-token"[..length]);
            _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }

        await AskAsync(caller, "a");

        Assert.Equal("old-token", Sent());
    }

    private string TokenFile => Path.Combine(_folder.FullName, "token");

    private HttpClient Begin()
    {
        _gateway.With("Luma:ApiKey", null).With("Luma:ApiKeyFile", TokenFile);
        return _gateway.CreateCaller();
    }

    /// <summary>Lets the gateway look at the file a few times.</summary>
    private async Task LookAsync()
    {
        for (var i = 0; i < 4; i++)
        {
            _gateway.Clock.Advance(TimeSpan.FromSeconds(2));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }

    private void Answer(params string[] good) => _gateway.Upstream.Always((request, _) => Task.FromResult(
        good.Contains(request.Headers.Authorization?.Parameter)
            ? ScriptedUpstream.Json(Samples.Failed(request.RequestUri!.Segments[^1]))
            : ScriptedUpstream.Json("""{"detail":"no"}""", HttpStatusCode.Unauthorized)));

    private static async Task AskAsync(HttpClient caller, string id)
    {
        using var response = await caller.AskAsync($"/generations/{id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private string Sent() => string.Join(' ', _gateway.Upstream.Received.Select(request => request.Headers["Authorization"].Replace("Bearer ", "", StringComparison.Ordinal)));
}
