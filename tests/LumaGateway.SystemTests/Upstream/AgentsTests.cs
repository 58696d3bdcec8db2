using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>The Agents API through the gateway: files, usage and creates with media.</summary>
public sealed class AgentsTests(AgentsTests.Gateway fixture) : IClassFixture<AgentsTests.Gateway>
{
    private readonly HttpClient _client = fixture.Process.Client;

    [Fact]
    public async Task A_large_file_is_pending_until_its_upload_is_completed()
    {
        var created = await PostAsync("/luma/files", """{"mime_type":"video/mp4","size_bytes":5,"filename":"cat.mp4","purpose":"reference"}""", HttpStatusCode.Created);
        var id = created.GetProperty("id").GetString();
        using var storage = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var upload = await storage.PutAsync(
            new Uri(created.GetProperty("upload").GetProperty("url").GetString()!), new ByteArrayContent("12345"u8.ToArray()), TestContext.Current.CancellationToken);

        var pending = await GetAsync($"/luma/files/{id}");
        var ready = await PostAsync($"/luma/files/{id}/complete", "{}", HttpStatusCode.OK);

        Assert.Equal(HttpStatusCode.OK, upload.StatusCode);
        Assert.Equal(("pending", "ready"), (pending.GetProperty("state").GetString(), ready.GetProperty("state").GetString()));
        Assert.Equal(id, (await GetAsync("/luma/files?purpose=reference&state=ready")).GetProperty("data").EnumerateArray().Single().GetProperty("id").GetString());
    }

    [Fact]
    public async Task Files_are_listed_by_cursor_and_a_deleted_one_is_no_longer_listed()
    {
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            using var form = new MultipartFormDataContent { { new StringContent("input"), "purpose" } };
            form.Add(new ByteArrayContent([1, 2, 3]) { Headers = { ContentType = new MediaTypeHeaderValue("image/png") } }, "file", "cat.png");
            using var response = await _client.PostAsync(new Uri("/luma/files", UriKind.Relative), form, TestContext.Current.CancellationToken);
            ids.Insert(0, (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString()!);
        }

        var first = await GetAsync("/luma/files?purpose=input&limit=2");
        var second = await GetAsync($"/luma/files?purpose=input&limit=2&cursor={first.GetProperty("next_cursor").GetString()}");
        using var deleted = await _client.DeleteAsync(new Uri($"/luma/files/{ids[0]}", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(ids, first.GetProperty("data").EnumerateArray().Concat(second.GetProperty("data").EnumerateArray()).Select(file => file.GetProperty("id").GetString()));
        Assert.Equal((true, false), (first.GetProperty("has_more").GetBoolean(), second.GetProperty("has_more").GetBoolean()));
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(2, (await GetAsync("/luma/files?purpose=input")).GetProperty("data").GetArrayLength());
        Assert.Equal("deleted", (await GetAsync($"/luma/files/{ids[0]}")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_create_with_megabytes_of_media_is_sent_once_and_counted_for_the_client()
    {
        var body = """{"prompt":"cat","type":"layering","source":{"media_type":"image/png","data":"AAAA"}}""".Replace("AAAA", new string('A', 20 * 1024 * 1024), StringComparison.Ordinal);

        using var first = await CreateAsync(body);
        using var second = await CreateAsync(body);

        Assert.Equal(HttpStatusCode.Created, first.StatusCode);
        Assert.Equal("30", first.Headers.GetValues("X-RateLimit-Limit").Single());
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        var usage = (await GetAsync("/luma/usage")).GetProperty("data").EnumerateArray().Single();
        Assert.Equal(("system-tests", 1), (usage.GetProperty("user_id").GetString(), usage.GetProperty("generations").GetInt32()));
    }

    [Fact]
    public async Task Without_a_writable_temporary_directory_a_large_create_with_a_key_is_a_503_and_a_small_one_is_sent()
    {
        await using var sandbox = await SandboxProcess.StartAsync();
        await using var gateway = await GatewayProcess.StartAsync(new Dictionary<string, string>(ReplicaGroup.SettingsFor(sandbox, redis: null)) { ["TMPDIR"] = "/proc/none" });

        using var large = await CreateAsync($"\"{new string('A', 2 * 1024 * 1024)}\"", gateway.Client);
        using var small = await CreateAsync("""{"prompt":"cat"}""", gateway.Client);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, large.StatusCode);
        Assert.Contains("\"code\":\"body_storage_unavailable\"", await large.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("4305", gateway.Log, StringComparison.Ordinal);
        Assert.True(small.IsSuccessStatusCode);
        Assert.Equal(1, (await sandbox.CountsAsync()).ByPath.Where(path => path.Key.StartsWith("POST", StringComparison.Ordinal)).Sum(path => path.Value));
    }

    private Task<HttpResponseMessage> CreateAsync(string body) => CreateAsync(body, _client);

    private static async Task<HttpResponseMessage> CreateAsync(string body, HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/luma/generations", UriKind.Relative)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", "layers");
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private async Task<JsonElement> GetAsync(string path) =>
        await _client.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

    private async Task<JsonElement> PostAsync(string path, string body, HttpStatusCode status)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _client.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
        Assert.Equal(status, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    /// <summary>A gateway in front of the sandbox's Agents API.</summary>
    public sealed class Gateway : IAsyncLifetime
    {
        private SandboxProcess _sandbox = null!;

        internal GatewayProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _sandbox = await SandboxProcess.StartAsync();
            Process = await GatewayProcess.StartAsync(new Dictionary<string, string>(ReplicaGroup.SettingsFor(_sandbox, redis: null))
            {
                ["Luma:Dialect"] = "agents",
                ["Luma:BaseAddress"] = new Uri(_sandbox.Address, "/agents/v1").AbsoluteUri,
                ["Luma:SendUserId"] = "true",
            });
        }

        public async ValueTask DisposeAsync()
        {
            await Process.DisposeAsync();
            await _sandbox.DisposeAsync();
        }
    }
}
