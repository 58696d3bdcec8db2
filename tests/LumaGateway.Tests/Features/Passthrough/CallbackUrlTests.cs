using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LumaGateway.Tests.Hosting;
using Microsoft.AspNetCore.Http;

namespace LumaGateway.Tests.Features.Passthrough;

public sealed class CallbackUrlTests : IAsyncLifetime
{
    private const string Secret = "s3cret-of-the-callback";
    private const string Url = $"https://gateway.test/callbacks/luma/{Secret}";

    private readonly string _file = Path.GetTempFileName();
    private readonly List<string> _received = [];
    private RequestDelegate _answer = null!;
    private Loopback _upstream = null!;
    private Gateway _gateway = null!;
    private Uri? _address;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_file, Secret, TestContext.Current.CancellationToken);
        _answer = context => context.Response.WriteAsync($$"""{"request":{{_received[^1]}}}""");
        _upstream = await Loopback.StartAsync(async context =>
        {
            _received.Add(await new StreamReader(context.Request.Body).ReadToEndAsync(context.RequestAborted));
            context.Response.ContentType = "application/json";
            await _answer(context);
        });
        _gateway = new Gateway().To(_upstream.Address).With("Callbacks:SecretFile", _file).With("Callbacks:PublicUrl", "https://gateway.test");
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        File.Delete(_file);
    }

    [Theory]
    [InlineData("""{"prompt":"cat"}""", $$"""{"callback_url":"{{Url}}","prompt":"cat"}""", """{"request":{"prompt":"cat"}}""", true)]
    [InlineData("""{"prompt":"cat"}""", $$"""{"callback_url":"{{Url}}","prompt":"cat"}""", """{"request":{"prompt":"cat"}}""", false)]
    [InlineData("{}", $$"""{"callback_url":"{{Url}}"}""", """{"request":{}}""", false)]
    [InlineData("""{"callback_url":"https://mine.test/"}""", """{"callback_url":"https://mine.test/"}""", """{"request":{"callback_url":"https://mine.test/"}}""", true)]
    [InlineData("[1]", "[1]", """{"request":[1]}""", true)]
    public async Task A_create_gets_our_callback_unless_it_has_one_and_its_caller_never_sees_it(string sent, string received, string answered, bool isChunked)
    {
        using var response = await CreateAsync(sent, isChunked);

        Assert.Equal(received, Assert.Single(_received));
        Assert.Equal(answered, await TextAsync(response));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_create_larger_than_any_that_Luma_documents_passes_untouched(bool isChunked)
    {
        var sent = $$"""{"prompt":"{{new string('x', 3_000_000)}}"}""";

        using var response = await CreateAsync(sent, isChunked);

        Assert.Equal(sent, Assert.Single(_received));
        Assert.Equal($$"""{"request":{{sent}}}""", await TextAsync(response));
    }

    [Fact]
    public async Task A_create_without_a_body_passes_as_it_is()
    {
        _answer = context => context.Response.WriteAsync("{}");

        using var response = await CreateAsync(null, isChunked: false);

        Assert.Equal("", Assert.Single(_received));
        Assert.Equal("{}", await TextAsync(response));
    }

    [Fact]
    public async Task A_create_whose_answer_breaks_off_is_a_problem_that_forbids_to_send_it_again()
    {
        _answer = async context =>
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
    public async Task Two_creates_with_one_key_are_one_with_our_callback_and_both_answers_are_without_it()
    {
        using var first = await CreateAsync("""{"prompt":"cat"}""", isChunked: true, key: "k1");
        using var second = await CreateAsync("""{"prompt":"cat"}""", isChunked: false, key: "k1");

        Assert.Equal($$"""{"callback_url":"{{Url}}","prompt":"cat"}""", Assert.Single(_received));
        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.Equal("""{"request":{"prompt":"cat"}}""", await TextAsync(first));
        Assert.Equal("""{"request":{"prompt":"cat"}}""", await TextAsync(second));
    }

    [Theory]
    [InlineData($$"""{"id":"g1","request":{"callback_url":"{{Url}}","prompt":"cat"} }""", """{"id":"g1","request":{"prompt":"cat"} }""")]
    [InlineData($$"""{"id":"g1", "callback_url" : "{{Url}}", "n":1.0e0}""", """{"id":"g1", "n":1.0e0}""")]
    [InlineData($$"""{"id":"g1","callback_url":"{{Url}}"}""", """{"id":"g1"}""")]
    [InlineData("""{"id":"g1","callback_url":"https:\/\/gateway.test\/callbacks\/luma\/earlier-secret-of-ours"}""", """{"id":"g1"}""")]
    [InlineData("""{"id":"g1","callback_url":"https://mine.test/callbacks/luma/x"}""", """{"id":"g1","callback_url":"https://mine.test/callbacks/luma/x"}""")]
    [InlineData("""{"id":"g1","callback_url":null,"x":["callback_url"]}""", """{"id":"g1","callback_url":null,"x":["callback_url"]}""")]
    [InlineData($$"""{"id":"g1","x\"callback_url":"{{Url}}"}""", $$"""{"id":"g1","x\"callback_url":"{{Url}}"}""")]
    [InlineData($$"""{"id":"g1","prompt":"\"callback_url\":\"{{Url}}\""}""", $$"""{"id":"g1","prompt":"\"callback_url\":\"{{Url}}\""}""")]
    public async Task Of_an_answer_only_the_member_with_our_address_is_missing(string answered, string passed)
    {
        _answer = context => context.Response.WriteAsync(answered);

        Assert.Equal(passed, await ReadAsync());
    }

    [Fact]
    public async Task A_member_is_found_wherever_the_answer_is_cut_and_an_answer_of_any_length_streams()
    {
        // An array whose every element holds one, in writes of all lengths: every cut falls somewhere in one.
        var elements = PropertyCases.Of(10_000, atLeast: 1000);
        var element = $$"""{"callback_url":"{{Url}}","prompt":"Käse {{new string('y', 300)}}"}, """;
        var answered = Encoding.UTF8.GetBytes("[" + string.Concat(Enumerable.Repeat(element, elements)) + $$"""{"id":"last", "callback_url":"{{Url}}"}]""");
        _answer = async context =>
        {
            var random = new Random(1);
            for (var at = 0; at < answered.Length;)
            {
                var length = Math.Min(random.Next(1, 6000), answered.Length - at);
                await context.Response.Body.WriteAsync(answered.AsMemory(at, length));
                at += length;
            }
        };

        var text = await ReadAsync();

        Assert.Equal("[" + string.Concat(Enumerable.Repeat(element.Replace($"\"callback_url\":\"{Url}\",", "", StringComparison.Ordinal), elements)) + """{"id":"last"}]""", text);
    }

    [Fact]
    public async Task What_is_no_json_passes_as_it_is_and_with_its_length()
    {
        var bytes = Encoding.UTF8.GetBytes($$"""{"callback_url":"{{Url}}"}""");
        _answer = context =>
        {
            context.Response.ContentType = "application/octet-stream";
            context.Response.ContentLength = bytes.Length;
            return context.Response.Body.WriteAsync(bytes).AsTask();
        };
        using var caller = _gateway.CreateCaller();

        using var response = await caller.AskAsync("/luma/generations/g1");

        Assert.Equal(bytes, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(bytes.Length, response.Content.Headers.ContentLength);
    }

    [Fact]
    public async Task Without_a_public_address_nothing_is_put_in_or_taken_out()
    {
        _gateway.With("Callbacks:PublicUrl", null);
        var sent = $$$"""{"request":{"callback_url":"{{{Url}}}"}}""";

        using var response = await CreateAsync(sent, isChunked: false);

        Assert.Equal(sent, Assert.Single(_received));
        Assert.Equal($$"""{"request":{{sent}}}""", await TextAsync(response));
    }

    private static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    private async Task<string> ReadAsync()
    {
        using var caller = _gateway.CreateCaller();
        using var response = await caller.AskAsync("/luma/generations/g1");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await TextAsync(response);
    }

    private async Task<HttpResponseMessage> CreateAsync(string? body, bool isChunked, string? key = null)
    {
        var response = await SendAsync(body, isChunked, key);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response;
    }

    /// <summary>Over a real socket: only there a body without a length is chunked.</summary>
    private async Task<HttpResponseMessage> SendAsync(string? body, bool isChunked, string? key = null)
    {
        _address ??= Listening.Start(_gateway).Main;
        using var caller = new HttpClient { BaseAddress = _address };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations/video");
        request.Headers.Add("X-Api-Key", Gateway.Key);
        request.Headers.TransferEncodingChunked = isChunked;
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, MediaTypeHeaderValue.Parse("application/json"));
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
