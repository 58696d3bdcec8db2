using System.Net;
using System.Text;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>Requests to the Agents API: files, rate limit headers and <c>user_id</c>.</summary>
public sealed class AgentsApiTests : IDisposable
{
    private readonly RawGateway _raw = new();
    private readonly string _secretFile = Path.GetTempFileName();

    public AgentsApiTests() => _raw.Gateway.With("Luma:Dialect", "agents").With("Luma:SendUserId", "true");

    public void Dispose()
    {
        _raw.Dispose();
        File.Delete(_secretFile);
    }

    [Fact]
    public async Task Rate_limit_headers_of_the_upstream_reach_the_caller()
    {
        _raw.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json("""{"detail":"Too many concurrent jobs"}""", HttpStatusCode.TooManyRequests);
            response.Headers.Add("X-RateLimit-Limit", "30");
            response.Headers.Add("x-ratelimit-remaining", "0");
            response.Headers.Add("X-RateLimit-Reset", "1764128073");
            response.Headers.Add("X-Internal", "host-7");
            return Task.FromResult(response);
        });

        using var response = await PostAsync("generations", "{}");

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(("30", "0", "1764128073"), (response.Header("X-RateLimit-Limit"), response.Header("X-RateLimit-Remaining"), response.Header("X-RateLimit-Reset")));
        Assert.Equal("", response.Header("X-Internal"));
    }

    [Theory]
    [InlineData("""{"prompt":"cat"}""", """{"prompt":"cat","user_id":"tests"}""")]
    [InlineData("{}", """{ "user_id":"tests"}""")]
    [InlineData(" {\n} \n", " {\n \"user_id\":\"tests\"} \n")]
    [InlineData("""{"video":{}}""", """{"video":{},"user_id":"tests"}""")]
    [InlineData("""{"user_id":"another user"}""", """{"user_id":"another user","user_id":"tests"}""")]
    [InlineData("[]", "[]")]
    [InlineData("no JSON", "no JSON")]
    [InlineData("", "")]
    public async Task A_create_names_the_client(string body, string expected)
    {
        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Created);

        using var response = await PostAsync("generations", body);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(expected, Assert.Single(_raw.Bodies));
        if (expected.StartsWith('{') && expected.Length > body.Length)
        {
            Assert.Equal("tests", JsonDocument.Parse(expected).RootElement.GetProperty("user_id").GetString());
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("k1")]
    public async Task A_create_with_megabytes_of_media_names_the_client(string? key)
    {
        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Created);
        var body = """{"prompt":"cat","source":{"media_type":"video/mp4","data":"AAAA"}}""".Replace("AAAA", new string('A', 3 * 1024 * 1024), StringComparison.Ordinal);

        using var response = await PostAsync("generations", body, key);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(body[..^1] + ",\"user_id\":\"tests\"}", Assert.Single(_raw.Bodies));
    }

    [Theory]
    [InlineData("files", """{"mime_type":"image/png","size_bytes":5}""")]
    [InlineData("files/f1/complete", "{}")]
    public async Task A_file_request_is_forwarded_unchanged_and_not_counted_as_a_create(string path, string body)
    {
        await File.WriteAllTextAsync(_secretFile, new string('s', 32), TestContext.Current.CancellationToken);
        _raw.Gateway.With("Callbacks:SecretFile", _secretFile).With("Callbacks:PublicUrl", "https://luma.internal");
        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Created);
        using var creates = _raw.Gateway.Collect<long>("luma_gateway.passthrough.creates");

        using var response = await PostAsync(path, body);

        Assert.Equal(body, Assert.Single(_raw.Bodies));
        Assert.Equal(0, creates.GetMeasurementSnapshot().Sum(create => create.Value));
    }

    [Theory]
    [InlineData("relay")]
    [InlineData("dream-machine")]
    [InlineData("new-api")]
    [InlineData("piapi")]
    public async Task A_create_for_another_api_gets_no_user_id(string dialect)
    {
        _raw.Gateway.With("Luma:Dialect", dialect);
        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Created);

        using var response = await PostAsync("generations", """{"prompt":"cat"}""");

        Assert.Equal("""{"prompt":"cat"}""", Assert.Single(_raw.Bodies));
    }

    [Fact]
    public async Task Without_the_setting_a_create_is_forwarded_unchanged()
    {
        _raw.Gateway.With("Luma:SendUserId", "false");
        _raw.Upstream.AlwaysJson("{}", HttpStatusCode.Created);

        using var response = await PostAsync("generations", """{"prompt":"cat"}""");

        Assert.Equal("""{"prompt":"cat"}""", Assert.Single(_raw.Bodies));
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body, string? key = null)
    {
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/luma/{path}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
