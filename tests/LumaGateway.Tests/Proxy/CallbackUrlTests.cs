using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Proxy;

public sealed partial class CallbackUrlTests : IAsyncLifetime
{
    private const string Url = "https://gateway.test/callbacks/luma/TOKEN";

    private readonly string _file = Path.GetTempFileName();
    private readonly List<string> _received = [];
    private RequestDelegate _respond = null!;
    private Loopback _upstream = null!;
    private Gateway _gateway = null!;
    private Uri? _address;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, "s3cret-of-the-callback", TestContext.Current.CancellationToken);
        _respond = context => context.Response.WriteAsync($$"""{"request":{{_received[^1]}}}""");
        _upstream = await Loopback.StartAsync(async context =>
        {
            _received.Add(await new StreamReader(context.Request.Body).ReadToEndAsync(context.RequestAborted));
            context.Response.ContentType = "application/json";
            await _respond(context);
        });
        _gateway = new Gateway().WithUpstream(_upstream.Address).With("Luma:Dialect", "dream-machine").With("Callbacks:SecretFile", _file).With("Callbacks:PublicUrl", "https://gateway.test");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        File.Delete(_file);
    }

    [Theory]
    [InlineData("""{"prompt":"cat"}""", $$"""{"callback_url":"{{Url}}","prompt":"cat"}""", true)]
    [InlineData("""{"prompt":"cat"}""", $$"""{"callback_url":"{{Url}}","prompt":"cat"}""", false)]
    [InlineData("{}", $$"""{"callback_url":"{{Url}}"}""", false)]
    [InlineData("""{"callback_url":"https://mine.test/"}""", """{"callback_url":"https://mine.test/"}""", true)]
    [InlineData("[1]", "[1]", true)]
    public async Task A_create_without_a_callback_url_gets_one_and_its_response_is_forwarded_unchanged(string sent, string received, bool isChunked)
    {
        using var response = await CreateAsync(sent, isChunked);

        Assert.Equal(received, WithoutToken(Assert.Single(_received)));
        Assert.Equal($$"""{"request":{{_received[0]}}}""", await TextAsync(response));
    }

    [Theory]
    [InlineData("relay", """{"user_prompt":"cat"}""", $$"""{"notify_hook":"{{Url}}","user_prompt":"cat"}""")]
    [InlineData("relay", """{"notify_hook":"https://mine.test/"}""", """{"notify_hook":"https://mine.test/"}""")]
    [InlineData("piapi", """{"model":"luma"}""", $$$"""{"config":{"webhook_config":{"endpoint":"{{{Url}}}"}},"model":"luma"}""")]
    [InlineData("piapi", """{"config":{"service_mode":"public"}}""", """{"config":{"service_mode":"public"}}""")]
    [InlineData("agents", """{"prompt":"cat"}""", """{"prompt":"cat"}""")]
    [InlineData("new-api", """{"prompt":"cat"}""", """{"prompt":"cat"}""")]
    public async Task The_address_has_the_name_of_the_dialect_and_is_left_out_if_the_upstream_calls_none(string dialect, string sent, string received)
    {
        _gateway.With("Luma:Dialect", dialect);

        using var response = await CreateAsync(sent, isChunked: false, path: dialect is "piapi" ? "/luma/task" : "/luma/generations");

        Assert.Equal(received, WithoutToken(Assert.Single(_received)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_create_above_the_size_limit_is_forwarded_unchanged(bool isChunked)
    {
        var sent = $$"""{"prompt":"{{new string('x', 3_000_000)}}"}""";

        using var response = await CreateAsync(sent, isChunked);

        Assert.Equal(sent, Assert.Single(_received));
        Assert.Equal($$"""{"request":{{sent}}}""", await TextAsync(response));
    }

    [Fact]
    public async Task A_create_without_a_body_is_forwarded_unchanged()
    {
        _respond = context => context.Response.WriteAsync("{}");

        using var response = await CreateAsync(null, isChunked: false);

        Assert.Equal("", Assert.Single(_received));
        Assert.Equal("{}", await TextAsync(response));
    }

    [Fact]
    public async Task An_incomplete_response_becomes_a_problem_that_forbids_a_retry()
    {
        _respond = async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("""{"id":"g1",""");
            await context.Response.Body.FlushAsync();
            context.Abort();
        };

        using var response = await SendAsync("""{"prompt":"cat"}""", isChunked: false);

        await response.ProblemAsync(502, "upstream_unreachable");
        Assert.Equal("false", response.Header("x-should-retry"));
    }

    [Fact]
    public async Task Two_creates_with_one_key_are_sent_once_with_the_callback_url()
    {
        using var first = await CreateAsync("""{"prompt":"cat"}""", isChunked: true, key: "k1");
        using var second = await CreateAsync("""{"prompt":"cat"}""", isChunked: false, key: "k1");

        Assert.Equal($$"""{"callback_url":"{{Url}}","prompt":"cat"}""", WithoutToken(Assert.Single(_received)));
        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.Equal(await TextAsync(first), await TextAsync(second));
    }

    [Fact]
    public async Task Without_a_public_url_the_create_is_forwarded_unchanged()
    {
        _gateway.With("Callbacks:PublicUrl", null);
        var sent = $$$"""{"request":{"callback_url":"{{{Url}}}"}}""";

        using var response = await CreateAsync(sent, isChunked: false);

        Assert.Equal(sent, Assert.Single(_received));
        Assert.Equal($$"""{"request":{{sent}}}""", await TextAsync(response));
    }

    private static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    /// <summary>Replaces the token, which differs between creates.</summary>
    private static string WithoutToken(string received) => Token().Replace(received, "$1TOKEN");

    private async Task<HttpResponseMessage> CreateAsync(string? body, bool isChunked, string? key = null, string path = "/luma/generations/video")
    {
        var response = await SendAsync(body, isChunked, key, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    /// <summary>Uses a real socket: the test server does not chunk a body without a length.</summary>
    private async Task<HttpResponseMessage> SendAsync(string? body, bool isChunked, string? key = null, string path = "/luma/generations/video")
    {
        _address ??= ListeningGateway.Start(_gateway).Main;
        using var caller = new HttpClient { BaseAddress = _address };
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("X-Api-Key", Gateway.Key);
        request.Headers.TransferEncodingChunked = isChunked;
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json"));
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }

    [GeneratedRegex("(/callbacks/luma/)[A-Za-z0-9_-]{38}")]
    private static partial Regex Token();
}
