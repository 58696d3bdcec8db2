using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

public sealed class PassingTests : IDisposable
{
    private const string Path = $"/luma/generations/{Samples.CompletedId}";

    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task An_answer_passes_byte_for_byte_with_the_headers_that_are_listed()
    {
        var odd = "\uFEFF{ \"id\" :\t\"g1\", \"n\": 1.0e0 }\r\n";
        _raw.Upstream.Then((_, _) =>
        {
            var answer = ScriptedUpstream.Json(odd);
            answer.Headers.TryAddWithoutValidation("Set-Cookie", "a=b");
            answer.Headers.TryAddWithoutValidation("Server", "luma-internal-7");
            answer.Headers.TryAddWithoutValidation("X-Internal-Node", "10.0.0.7");
            answer.Headers.TryAddWithoutValidation("ETag", "\"v1\"");
            answer.Headers.TryAddWithoutValidation("retry-after-ms", "250");
            answer.Headers.TryAddWithoutValidation("Vary", "Accept-Encoding,  Origin");
            answer.Headers.TryAddWithoutValidation("Cache-Control", "max-age=0,no-store");
            return Task.FromResult(answer);
        });
        using var caller = _raw.CreateCaller();

        using var response = await caller.AskAsync(Path);

        Assert.Equal(Encoding.UTF8.GetBytes(odd), await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal("\"v1\"", response.Header("ETag"));
        Assert.Equal("250", response.Header("retry-after-ms"));
        Assert.Equal("application/json; charset=utf-8", response.Header("Content-Type"));
        Assert.Equal("Accept-Encoding,  Origin", response.Headers.NonValidated["Vary"].ToString()); // as written, not as understood
        Assert.Equal("max-age=0,no-store", response.Headers.NonValidated["Cache-Control"].ToString());
        Assert.Equal(("", "", ""), (response.Header("Set-Cookie"), response.Header("Server"), response.Header("X-Internal-Node")));
    }

    [Fact]
    public async Task A_create_that_is_throttled_pauses_no_read()
    {
        _raw.Upstream.Then((_, _) =>
        {
            var answer = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromMinutes(1));
            return Task.FromResult(answer);
        }).ThenJson(Samples.Failed("g1"));
        using var caller = _raw.CreateCaller();

        using var create = await caller.PostAsync("/luma/generations/video", new StringContent("{}", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
        using var read = await caller.AskAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.TooManyRequests, create.StatusCode);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(2, _raw.Upstream.Asked);
    }

    [Fact]
    public async Task A_request_passes_with_the_token_and_without_what_is_the_callers_own()
    {
        _raw.Upstream.ThenJson("{}", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        foreach (var (name, value) in new[]
        {
            ("Cookie", "s=1"), ("X-Forwarded-For", "10.0.0.1"), ("Forwarded", "for=x"), ("baggage", "a=b"), ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("X-Request-Id", "mine"), ("x-stainless-os", "Linux"), ("Idempotency-Key", "k1"), ("Connection", "X-Smuggled"), ("X-Smuggled", "1"),
        })
        {
            caller.DefaultRequestHeaders.TryAddWithoutValidation(name, value);
        }

        using var response = await caller.PostAsync("/luma/generations/video", new StringContent("""{"prompt":"ü"}""", Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);

        var received = Assert.Single(_raw.Upstream.Received);
        Assert.Equal(["authorization", "x-request-id"], received.Headers.Keys.Select(name => name.ToLowerInvariant()).Order());
        Assert.Equal(("Bearer upstream-token", "mine"), (received.Headers["Authorization"], received.Headers["X-Request-Id"]));
        Assert.Equal("""{"prompt":"ü"}""", Assert.Single(_raw.Bodies));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(422)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task An_upstreams_error_passes_as_it_is(int status)
    {
        _raw.Upstream.ThenJson("""{"detail":"their words"}""", (HttpStatusCode)status);
        using var caller = _raw.CreateCaller();

        using var response = await caller.AskAsync(Path);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("""{"detail":"their words"}""", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("", response.Header("x-should-retry"));
    }

    [Theory]
    [InlineData(401, "upstream_token_refused")]
    [InlineData(403, "upstream_token_refused")]
    [InlineData(402, "upstream_out_of_credit")]
    public async Task A_refusal_of_the_gateways_own_account_is_a_problem_and_an_alarm(int status, string code)
    {
        _raw.Upstream.ThenJson("""{"detail":"token luma-xxxx is bad"}""", (HttpStatusCode)status);
        using var caller = _raw.CreateCaller();

        using var response = await caller.AskAsync(Path);

        var problem = await response.ProblemAsync(502, code);
        Assert.DoesNotContain("luma-xxxx", problem.ToString(), StringComparison.Ordinal);
        Assert.Equal("false", response.Header("x-should-retry"));
        Assert.Contains(_raw.Gateway.Logs.GetSnapshot(), record => record is { Level: Microsoft.Extensions.Logging.LogLevel.Error, Id.Id: 3021 });
    }

    [Fact]
    public async Task An_upstream_that_is_not_there_is_a_problem()
    {
        _raw.Upstream.ThenThrow(new HttpRequestException(HttpRequestError.ConnectionError));
        using var caller = _raw.CreateCaller();

        using var response = await caller.AskAsync(Path);

        await response.ProblemAsync(502, "upstream_unreachable");
    }

    [Fact]
    public async Task A_read_whose_own_fetch_fails_has_the_answer_that_came_by_another_way_meanwhile()
    {
        var slow = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => slow.Task).ThenJson(Samples.Completed);
        using var caller = _raw.CreateCaller();
        var reading = caller.AskAsync($"/generations/{Samples.CompletedId}");
        await _raw.Upstream.AskedAsync(1);

        using var raw = await caller.AskAsync(Path);
        await Pump.EventuallyAsync(() => _raw.Gateway.Services.Holds(Samples.CompletedId));
        slow.SetResult(ScriptedUpstream.Json("<html>"));
        using var read = await reading;

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal(2, _raw.Upstream.Asked);
    }

    [Fact]
    public async Task A_finished_answer_that_passes_is_the_slim_reads_next_hit()
    {
        _raw.Upstream.ThenJson(Samples.Completed);
        using var caller = _raw.CreateCaller();

        using var raw = await caller.AskAsync(Path);
        var passed = await raw.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        await Pump.EventuallyAsync(() => _raw.Gateway.Services.Holds(Samples.CompletedId));
        using var slim = await caller.AskAsync($"/generations/{Samples.CompletedId}");

        Assert.Equal(Samples.Completed, passed);
        Assert.Equal("LumaGateway; hit; ttl=86400", slim.Header("Cache-Status"));
        Assert.Equal(1, _raw.Upstream.Asked);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_compressed_answer_passes_compressed_and_is_learnt_from(string encoding)
    {
        var bytes = Compressed(Samples.Completed, encoding);
        _raw.Upstream.Then((_, _) =>
        {
            var answer = new HttpResponseMessage { Content = new ByteArrayContent(bytes) };
            answer.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            answer.Content.Headers.ContentEncoding.Add(encoding);
            return Task.FromResult(answer);
        });
        using var caller = _raw.CreateCaller();

        using var raw = await caller.AskAsync(Path);

        Assert.Equal(bytes, await raw.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(encoding, raw.Header("Content-Encoding"));
        await Pump.EventuallyAsync(() => _raw.Gateway.Services.Holds(Samples.CompletedId));
    }

    [Fact]
    public async Task An_unfinished_or_foreign_answer_teaches_nothing()
    {
        _raw.Upstream.ThenJson(Samples.Unfinished("g1")).ThenJson(Samples.Failed("other")).ThenJson("<html>").ThenJson(Samples.Failed("g1"));
        using var caller = _raw.CreateCaller();
        for (var i = 0; i < 3; i++)
        {
            using var raw = await caller.AskAsync("/luma/generations/g1");
            Assert.Equal(HttpStatusCode.OK, raw.StatusCode);
        }

        using var slim = await caller.AskAsync("/generations/g1");

        Assert.Equal("LumaGateway; fwd=miss; stored", slim.Header("Cache-Status"));
    }

    [Fact]
    public async Task What_was_answered_before_a_purge_is_not_learnt_after_it()
    {
        var late = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => late.Task).ThenJson("", HttpStatusCode.NoContent).ThenJson("{}", HttpStatusCode.NotFound);
        using var caller = _raw.CreateCaller();
        var raw = caller.AskAsync(Path);
        await _raw.Upstream.AskedAsync(1);

        using var deleted = await caller.DeleteAsync(Path, TestContext.Current.CancellationToken);
        late.SetResult(ScriptedUpstream.Json(Samples.Completed));
        using var passed = await raw;
        using var slim = await caller.AskAsync($"/generations/{Samples.CompletedId}");

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.OK, passed.StatusCode);
        await slim.ProblemAsync(404, "generation_not_found");
    }

    [Theory]
    [InlineData(204, true)]
    [InlineData(404, true)]
    [InlineData(500, true)]
    [InlineData(429, false)]
    public async Task A_delete_is_forgotten_before_its_caller_hears_of_it_unless_it_was_refused(int status, bool forgotten)
    {
        _raw.Upstream.ThenJson(Samples.Completed).ThenJson("{}", (HttpStatusCode)status).AlwaysJson("{}", HttpStatusCode.NotFound);
        using var caller = _raw.CreateCaller();
        using var before = await caller.AskAsync($"/generations/{Samples.CompletedId}");

        using var deleted = await caller.DeleteAsync(Path, TestContext.Current.CancellationToken);
        using var after = await caller.AskAsync($"/generations/{Samples.CompletedId}");

        Assert.Equal(status, (int)deleted.StatusCode);
        Assert.Equal(forgotten ? HttpStatusCode.NotFound : HttpStatusCode.OK, after.StatusCode);
    }

    private static byte[] Compressed(string text, string encoding)
    {
        using var bytes = new MemoryStream();
        using (Stream encoder = encoding switch
        {
            "gzip" => new GZipStream(bytes, CompressionLevel.Fastest),
            "br" => new BrotliStream(bytes, CompressionLevel.Fastest),
            _ => new ZLibStream(bytes, CompressionLevel.Fastest),
        })
        {
            encoder.Write(Encoding.UTF8.GetBytes(text));
        }

        return bytes.ToArray();
    }
}
