using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>The limits of the emulated account. Needs nothing.</summary>
public sealed class SandboxLimitTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/luma/generations")]
    [InlineData("/dream-machine/v1/generations/video")]
    [InlineData("/agents/v1/generations")]
    public async Task A_create_above_the_concurrent_jobs_is_refused_and_counted_until_a_job_is_final(string path)
    {
        await using var sandbox = await SandboxProcess.StartAsync("--Sandbox:MaxConcurrentJobs=1", "--Sandbox:QueuedFor=00:01:00");
        using var first = await CreateAsync(sandbox, path);
        using var refused = await CreateAsync(sandbox, path);

        Assert.True(first.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        var isAgents = path.StartsWith("/agents", StringComparison.Ordinal);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(isAgents ? 60 : 1), TimeSpan.FromSeconds(isAgents ? 60 : 75));
        Assert.Contains(isAgents ? "Too many concurrent jobs" : "Too many requests", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Equal(1, (await sandbox.CountsAsync()).CreatesRefused);

        await sandbox.SetStateAsync((await first.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("id").GetString()!, "completed");
        using var admitted = await CreateAsync(sandbox, path);
        Assert.True(admitted.IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_create_above_the_limit_per_minute_is_refused_also_if_no_job_runs()
    {
        await using var sandbox = await SandboxProcess.StartAsync("--Sandbox:MaxCreatesPerMinute=2", "--Sandbox:QueuedFor=00:00:00", "--Sandbox:ProcessingFor=00:00:00");
        using var first = await CreateAsync(sandbox, "/luma/generations");
        using var second = await CreateAsync(sandbox, "/agents/v1/generations");
        using var refused = await CreateAsync(sandbox, "/luma/generations");

        Assert.True(first.IsSuccessStatusCode && second.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.Equal("0", second.Headers.GetValues("X-RateLimit-Remaining").Single());
        Assert.Equal(1, (await sandbox.CountsAsync()).CreatesRefused);
    }

    private static async Task<HttpResponseMessage> CreateAsync(SandboxProcess sandbox, string path)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = sandbox.Address };
        var body = path switch
        {
            "/luma/generations" => """{"user_prompt":"a cat"}""",
            "/agents/v1/generations" => """{"prompt":"a cat"}""",
            _ => """{"prompt":"a cat","model":"ray-2"}""",
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", SandboxProcess.Token);
        return await client.SendAsync(request, Cancelled);
    }
}
