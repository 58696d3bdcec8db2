using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace LumaGateway.SystemTests.Upstream;

/// <summary>Creates in the gateway's own format in front of all five emulated upstreams, and the emulated upstreams' own checks of creates.</summary>
public sealed class CreateTests(CreateTests.FastSandbox fixture) : IClassFixture<CreateTests.FastSandbox>
{
    /// <summary>One body for every upstream. The options are those that an upstream requires.</summary>
    private const string Body = """{"prompt":"cat dance","duration":5,"start_image":"https://example.com/cat.jpg","options":{"new-api":{"model":"luma-ray"}}}""";

    [Theory]
    [InlineData("relay", "/luma")]
    [InlineData("dream-machine", "/dream-machine/v1")]
    [InlineData("agents", "/agents/v1")]
    [InlineData("new-api", "/v1/video")]
    [InlineData("piapi", "/api/v1")]
    public async Task One_body_creates_a_video_at_every_upstream_and_its_file_can_be_read(string dialect, string root)
    {
        await using var gateway = await StartAsync(dialect, root);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generations") { Content = new StringContent(Body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Prefer", "wait=50");
        request.Headers.Add("Idempotency-Key", $"one-body-{dialect}");

        using var response = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var created = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("completed", created.GetProperty("state").GetString());
        var id = created.GetProperty("id").GetString();
        Assert.EndsWith($"/{id}.mp4", created.GetProperty("video").GetProperty("url").GetString()!.Split('?')[0], StringComparison.Ordinal);
        using var raw = await SendToUpstreamAsync(HttpMethod.Get, $"{root}/{(dialect is "piapi" ? "task" : "generations")}/{id}");
        var hasWatermark = (await raw.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Contains($"/{id}_watermark.mp4", StringComparison.Ordinal);
        Assert.Equal(dialect is "relay" or "piapi", hasWatermark); // the gateway must choose the other file
        using var video = await gateway.Client.GetAsync(new Uri($"{response.Headers.Location}/video", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, video.StatusCode);

        using var repeated = new HttpRequestMessage(HttpMethod.Post, "/generations") { Content = new StringContent(Body, Encoding.UTF8, "application/json") };
        repeated.Headers.Add("Idempotency-Key", $"one-body-{dialect}");
        using var again = await gateway.Client.SendAsync(repeated, TestContext.Current.CancellationToken);
        Assert.Equal("true", again.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(created.GetProperty("id").GetString(), (await again.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString());

        using var deleted = await gateway.Client.DeleteAsync(response.Headers.Location, TestContext.Current.CancellationToken);
        Assert.Equal(dialect is "dream-machine" ? HttpStatusCode.NoContent : HttpStatusCode.Conflict, deleted.StatusCode);
    }

    [Theory]
    [InlineData("/luma/generations", """{"user_prompt":"cat","model_name":"ray-9"}""", 400, "\"param\":\"model_name\"")]
    [InlineData("/luma/generations", """{"user_promt":"cat"}""", 400, "Extra inputs are not permitted")]
    [InlineData("/luma/generations", """{"user_prompt":"cat","duration":5}""", 400, "duration")]
    [InlineData("/dream-machine/v1/generations/video", """{"prompt":"cat"}""", 422, "[\"body\",\"model\"]")]
    [InlineData("/dream-machine/v1/generations/video", """{"model":"ray-2","prompt":"ca"}""", 422, "3 to 5000 characters")]
    [InlineData("/dream-machine/v1/generations/video", "{\"model\":\"ray-2\",\"prompt\":\"\U0001F600\U0001F600\"}", 422, "3 to 5000 characters")]
    [InlineData("/dream-machine/v1/generations/video", """{"model":"ray-2","prompt":"cat","keyframes":{"frame0":{"type":"image","url":7}}}""", 422, "[\"body\",\"keyframes\",\"frame0\",\"url\"]")]
    [InlineData("/dream-machine/v1/generations/image", """{"model":"ray-2","prompt":"cat"}""", 422, "photon-1")]
    [InlineData("/agents/v1/generations", """{"type":"video"}""", 422, "prompt: Field required")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","video":{"duration":"9s"}}""", 422, "video.duration")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","aspect_ratio":"4:1"}""", 422, "aspect_ratio")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","video":{"loop":true,"duration":"10s"}}""", 422, "video.loop: ")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","video":{"loop":true,"hdr":true}}""", 422, "video.loop: ")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","video":{"exr_export":true}}""", 422, "video.exr_export: ")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","source":{"media_type":"video/mp4"}}""", 422, "source: ")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","image_ref":[{"url":"https://h/a","file_id":"f1"}]}""", 422, "image_ref.0: ")]
    [InlineData("/agents/v1/generations", """{"prompt":"cat","video":{"start_frame":{"data":"AAAA"}}}""", 422, "video.start_frame.media_type: Field required")]
    [InlineData("/v1/video/generations", """{"prompt":"cat"}""", 400, "\"code\":\"invalid_request\"")]
    [InlineData("/v1/video/generations", """{"model":"m","prompt":"cat","duration":"5s"}""", 400, "duration")]
    [InlineData("/api/v1/task", """{"model":"luma","task_type":"video_generation"}""", 400, "input: Field required")]
    [InlineData("/api/v1/task", """{"model":"luma","task_type":"video_generation","input":{"user_prompt":"cat"}}""", 400, "input.user_prompt")]
    public async Task The_emulated_upstream_refuses_a_wrong_body_as_the_upstream_does(string path, string body, int status, string text)
    {
        using var response = await SendToUpstreamAsync(HttpMethod.Post, path, body);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(text, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"prompt":"cat","video":{"loop":true,"duration":"5s","hdr":false}}""")]
    [InlineData("""{"prompt":"cat","video":{"loop":false,"duration":"10s","hdr":true,"exr_export":true}}""")]
    [InlineData("""{"prompt":"cat","source":{"generation_id":"g1","url":null},"image_ref":[{"data":"AAAA","media_type":"image/png"}]}""")]
    public async Task The_emulated_Agents_API_accepts_what_is_documented_together(string body)
    {
        using var response = await SendToUpstreamAsync(HttpMethod.Post, "/agents/v1/generations", body);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Theory]
    [InlineData("relay", "/luma", """{"prompt":"cat","options":{"relay":{"expand_prompt":"yes"}}}""", "expand_prompt")]
    [InlineData("dream-machine", "/dream-machine/v1", """{"prompt":"cat","options":{"dream-machine":{"concepts":[{"name":"x"}]}}}""", "concepts.0.key")]
    public async Task What_the_upstream_refuses_is_a_422_with_its_field(string dialect, string root, string body, string field)
    {
        await using var gateway = await StartAsync(dialect, root);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await gateway.Client.PostAsync(new Uri("/generations", UriKind.Relative), content, TestContext.Current.CancellationToken);

        var problem = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "create_rejected"), (response.StatusCode, problem.GetProperty("code").GetString()));
        Assert.Equal(field, Assert.Single(problem.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task The_emulated_new_api_responds_to_a_create_with_the_id_and_the_status_only()
    {
        using var response = await SendToUpstreamAsync(HttpMethod.Post, "/v1/video/generations", """{"model":"m","prompt":"cat"}""");

        var created = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(["task_id", "status"], created.EnumerateObject().Select(member => member.Name));
    }

    private async Task<HttpResponseMessage> SendToUpstreamAsync(HttpMethod method, string path, string? body = null)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = fixture.Sandbox.Address };
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
        var isPiApi = path.StartsWith("/api", StringComparison.Ordinal);
        request.Headers.Add(isPiApi ? "x-api-key" : "Authorization", isPiApi ? SandboxProcess.Token : $"Bearer {SandboxProcess.Token}");
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private Task<GatewayProcess> StartAsync(string dialect, string root) => GatewayProcess.StartAsync(new Dictionary<string, string>(ReplicaGroup.SettingsFor(fixture.Sandbox, redis: null))
    {
        ["Luma:Dialect"] = dialect,
        ["Luma:BaseAddress"] = new Uri(fixture.Sandbox.Address, root).AbsoluteUri,
        ["Assets:AllowHttp"] = "true",
        ["Assets:AllowedHosts:0"] = fixture.Sandbox.Address.Authority,
        ["Assets:AllowedNetworks:0"] = "127.0.0.0/8",
    });

    /// <summary>An emulated upstream whose generations take one second.</summary>
    public sealed class FastSandbox : IAsyncLifetime
    {
        internal SandboxProcess Sandbox { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Sandbox = await SandboxProcess.StartAsync("--Sandbox:QueuedFor=00:00:00.5", "--Sandbox:ProcessingFor=00:00:00.5");

        public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
    }
}
