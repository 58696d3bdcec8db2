using System.Net;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>PiAPI's own API under <c>/luma</c>: tasks instead of generations. Needs nothing.</summary>
public sealed class PiApiTests : IDisposable
{
    private const string CompletedId = "f38e2944-a5fe-44b4-9464-920c94276d74";

    private readonly string _file = Path.GetTempFileName();
    private readonly RawGateway _raw = new();

    public PiApiTests()
    {
        File.WriteAllText(_file, "s3cret-of-the-callback");
        _raw.Gateway.With("Luma:Dialect", "piapi").With("Callbacks:SecretFile", _file).With("Callbacks:PublicUrl", "https://gateway.test");
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _raw.Dispose();
        File.Delete(_file);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("k1")]
    public async Task A_create_is_a_job_with_its_id_and_gets_the_callback_address(string? key)
    {
        _raw.Upstream.ThenJson("""{"code":200,"data":{"task_id":"t1","status":"pending"},"message":"success"}""");
        using var caller = _raw.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/task")
        {
            Content = new StringContent("""{"model":"luma","task_type":"video_generation","input":{"prompt":"cat"}}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add(key is null ? "X-Test" : "Idempotency-Key", key ?? "none");

        using var response = await caller.SendAsync(request, Cancelled);
        using var jobs = await caller.SendGetAsync("/jobs");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.StartsWith("""{"config":{"webhook_config":{"endpoint":"https://gateway.test/callbacks/luma/""", Assert.Single(_raw.Bodies), StringComparison.Ordinal);
        var job = Assert.Single((await jobs.JsonAsync()).GetProperty("jobs").EnumerateArray());
        Assert.Equal(("t1", "piapi", "queued"), (job.GetProperty("id").GetString(), job.GetProperty("dialect").GetString(), job.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task A_forwarded_final_response_is_cached()
    {
        var completed = await File.ReadAllTextAsync("fixtures/piapi/completed.json", Cancelled);
        _raw.Upstream.ThenJson(completed);
        using var caller = _raw.CreateCaller();

        using var raw = await caller.SendGetAsync($"/luma/task/{CompletedId}");
        Assert.Equal(completed, await raw.Content.ReadAsStringAsync(Cancelled));
        await Poll.UntilAsync(() => _raw.Gateway.Services.IsCached(CompletedId));
        using var slim = await caller.SendGetAsync($"/generations/{CompletedId}");

        Assert.StartsWith("LumaGateway; hit", slim.Header("Cache-Status"), StringComparison.Ordinal);
        Assert.Equal($"http://upstream.test/luma/task/{CompletedId}", Assert.Single(_raw.Upstream.Received).Address.AbsoluteUri);
    }
}
