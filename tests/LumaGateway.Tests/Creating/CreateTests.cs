using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Creating;

/// <summary>Creates at <c>POST /generations</c>. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class CreateTests : IDisposable
{
    private const string Body = """{"prompt":"cat dance"}""";
    private const string Created = """{"id":"g1","state":"pending","prompt":"cat dance","created_at":"2026-04-08T12:10:00Z"}""";

    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_create_is_a_201_with_the_address_and_the_first_state()
    {
        _gateway.Upstream.ThenJson(Created);

        using var response = await CreateAsync(Body);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("/generations/g1", response.Header("Location"));
        Assert.Equal("private, no-cache", response.Header("Cache-Control"));
        Assert.Equal("LumaGateway; fwd=method", response.Header("Cache-Status"));
        Assert.NotEqual("", response.Header("ETag"));
        var generation = await response.JsonAsync();
        Assert.Equal(("g1", "queued", "cat dance"), (Text(generation, "id"), Text(generation, "state"), Text(generation, "prompt")));
        Assert.Equal("""{"user_prompt":"cat dance"}""", Assert.Single(_gateway.Bodies));
        var request = Assert.Single(_gateway.Upstream.Received);
        Assert.Equal((HttpMethod.Post, "http://upstream.test/luma/generations"), (request.Method, request.Address.AbsoluteUri));
        Assert.Equal($"Bearer {Gateway.Token}", request.Headers["Authorization"]);
        Assert.Equal(response.Header("X-Request-Id"), request.Headers["X-Request-Id"]);
        Assert.Equal("gzip, deflate, br", request.Headers["Accept-Encoding"]);
    }

    [Fact]
    public async Task A_read_right_after_the_create_needs_no_upstream_request()
    {
        _gateway.Upstream.ThenJson(Created);
        using var caller = _gateway.CreateCaller();
        using var created = await CreateAsync(Body);

        using var read = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(await TextAsync(created), await TextAsync(read));
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("{\"prompt\":\"cat\",\"options\":{\"relay\":{\"a\":\"\u00ff\"}}}", "options.relay.a")]
    [InlineData("{\"prompt\":\"cat\",\"options\":{\"relay\":{\"a\":[{\"b\":\"\u00c0\u0080\"}]}}}", "options.relay.a.b")]
    [InlineData("{\"prompt\":\"cat\",\"options\":{\"relay\":{\"\u00ff\":1}}}", "options.relay.?")]
    [InlineData("{\"prompt\":\"\u00ff\"}", "prompt")]
    public async Task Bytes_that_are_not_UTF_8_are_an_invalid_body(string latin1, string field)
    {
        using var caller = _gateway.CreateCaller();
        using var content = new ByteArrayContent(Encoding.Latin1.GetBytes(latin1));

        using var response = await caller.PostAsync(new Uri("/generations", UriKind.Relative), content, TestContext.Current.CancellationToken);

        var problem = await response.ProblemAsync(400, "invalid_request");
        Assert.True(problem.GetProperty("errors").TryGetProperty(field, out _));
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_blank_text_with_an_escape_is_allowed_in_options()
    {
        _gateway.Upstream.ThenJson(Created);

        using var response = await CreateAsync("""{"prompt":"cat dance","options":{"relay":{"separator":"\n"}}}""");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("""{"user_prompt":"cat dance","separator":"\n"}""", Assert.Single(_gateway.Bodies));
    }

    [Theory]
    [InlineData("""{"prompt":"cat","$$":1}""", 400)]
    [InlineData("""{"prompt":"cat","model":"$$"}""", 422)]
    [InlineData("""{"prompt":"cat","aspect_ratio":"$$"}""", 422)]
    [InlineData("""{"prompt":"cat","duration":5,"options":{"relay":{"duration":"10s","$$":1}}}""", 422)]
    public async Task A_long_name_or_value_is_cut_between_characters(string body, int status)
    {
        var text = new string('a', 63) + "\U0001F600\U0001F600"; // the 64th UTF-16 unit is the first half of a character

        using var response = await CreateAsync(body.Replace("$$", text, StringComparison.Ordinal));

        Assert.Equal(status, (int)response.StatusCode);
        var json = JsonNode.Parse(await TextAsync(response))!["errors"]!.ToJsonString(); // escapes all characters that are not ASCII
        Assert.DoesNotContain("FFFD", json, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("\\uD83D\\u2026", json, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("relay", """{"code":"success","message":"","request_id":"r1","data":{"id":"g1","state":"pending"}}""", 200)]
    [InlineData("dream-machine", """{"id":"g1","state":"queued","assets":null}""", 201)]
    [InlineData("agents", """{"id":"g1","state":"queued","output":[]}""", 201)]
    [InlineData("new-api", """{"task_id":"g1","status":"queued"}""", 200)]
    [InlineData("new-api", """{"code":"success","data":"g1"}""", 200)]
    [InlineData("new-api", """{"id":"r1","data":{"task_id":"g1","status":"SUBMITTED"}}""", 200)]
    [InlineData("piapi", """{"code":200,"data":{"task_id":"g1","status":"pending"},"message":"success"}""", 200)]
    [InlineData("piapi", """{"code":200,"data":{"task_id":"g1","status":"pending","error":{"code":0}},"message":"success"}""", 202)]
    public async Task The_response_of_every_dialect_is_read(string dialect, string created, int status)
    {
        _gateway.With("Luma:Dialect", dialect).Upstream.ThenJson(created, (HttpStatusCode)status);

        using var response = await CreateAsync("""{"prompt":"cat dance","options":{"new-api":{"model":"m"}}}""");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var generation = await response.JsonAsync();
        Assert.Equal(("g1", "queued"), (Text(generation, "id"), Text(generation, "state")));
    }

    [Theory]
    [InlineData("""{"promt":"cat"}""", "promt", "is unknown; the keys are type, prompt, model")]
    [InlineData("""{"prompt":"cat","prompt":"dog"}""", "prompt", "occurs twice")]
    [InlineData("""{"prompt":7}""", "prompt", "must be a text")]
    [InlineData("""{"prompt":" "}""", "prompt", "must not be empty")]
    [InlineData("""{"prompt":"\ud800"}""", "prompt", "valid Unicode")]
    [InlineData("""{"type":"song","prompt":"cat"}""", "type", "must be video or image")]
    [InlineData("""{"prompt":"cat","duration":"5s"}""", "duration", "a positive number of seconds")]
    [InlineData("""{"prompt":"cat","duration":0}""", "duration", "a positive number of seconds")]
    [InlineData("""{"prompt":"cat","duration":1e999}""", "duration", "a positive number of seconds")]
    [InlineData("""{"prompt":"cat","loop":"yes"}""", "loop", "true or false")]
    [InlineData("""{"prompt":"cat","seed":1.5}""", "seed", "a whole number")]
    [InlineData("""{"start_image":"file:///etc/passwd"}""", "start_image", "an absolute http or https URL")]
    [InlineData("""{"prompt":"cat","callback_url":"/mine"}""", "callback_url", "an absolute http or https URL")]
    [InlineData("""{"prompt":"cat","reference_images":"https://h/a"}""", "reference_images", "a list of URLs")]
    [InlineData("""{"prompt":"cat","reference_images":["https://h/a",null]}""", "reference_images", "an item that is not valid")]
    [InlineData("""{"prompt":"cat","options":[]}""", "options", "must be an object")]
    [InlineData("""{"prompt":"cat","options":{"luma":{}}}""", "options.luma", "is not a dialect; the dialects are relay, dream-machine, agents, new-api, piapi")]
    [InlineData("""{"prompt":"cat","options":{"relay":1}}""", "options.relay", "must be an object")]
    [InlineData("""{"prompt":"cat","options":{"relay":{"a":{"b":1,"b":2}}}}""", "options.relay.a.b", "occurs twice")]
    [InlineData("""{"prompt":"cat","options":{"relay":{"a":["\udc00"]}}}""", "options.relay.a", "valid Unicode")]
    [InlineData("{}", "prompt", "is required without a source")]
    [InlineData("""{"prompt":null,"reference_images":[]}""", "prompt", "is required without a source")]
    public async Task A_wrong_body_is_a_400_that_names_the_field_and_nothing_is_sent(string body, string field, string reason)
    {
        using var response = await CreateAsync(body);

        var problem = await response.ProblemAsync(400, "invalid_request");
        var (name, reasons) = Assert.Single(ErrorsOf(problem));
        Assert.Equal(field, name);
        Assert.Contains(reasons, text => text.Contains(reason, StringComparison.Ordinal));
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"prompt":"cat"}{}""")]
    public async Task A_body_that_is_not_one_object_is_a_400(string body)
    {
        using var response = await CreateAsync(body);

        await response.ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task Thousands_of_wrong_keys_are_a_small_problem()
    {
        using var response = await CreateAsync($"{{{string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"{new string('k', 200)}{i}\":1"))}}}");

        var problem = await response.ProblemAsync(400, "invalid_request");
        Assert.InRange(problem.GetRawText().Length, 100, 10_000);
    }

    [Fact]
    public async Task A_field_that_the_upstream_cannot_express_is_a_422_and_nothing_is_sent()
    {
        using var response = await CreateAsync("""{"prompt":"cat","seed":7,"resolution":"8k"}""");

        var problem = await response.ProblemAsync(422, "unsupported_field");
        Assert.Equal(["resolution", "seed"], ErrorsOf(problem).Select(error => error.Field).Order());
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_client_without_the_permission_create_is_refused()
    {
        _gateway.With("Access:Clients:0:Rights:2", "read");

        using var response = await CreateAsync(Body);

        var problem = await response.ProblemAsync(403, "forbidden");
        Assert.Contains("create", Text(problem, "detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_create_is_audited_and_costs_an_upstream_request()
    {
        _gateway.With("Access:Clients:0:Limits:RequestsPerSecond", "1").With("Access:Clients:0:Limits:Burst", "20").With("Limits:UpstreamCost", "10");
        _gateway.Upstream.AlwaysJson(Created);
        using var before = await CreateAsync(Body);

        Assert.Contains(_gateway.Logs.GetSnapshot(), log => log.Id.Id is 1012 && log.Message.Contains("used permission Create: POST /generations", StringComparison.Ordinal));
        using var refused = await CreateAsync(Body);
        using var third = await CreateAsync(Body);
        await third.ProblemAsync(429, "rate_limited");
    }

    [Fact]
    public async Task With_SendUserId_the_agents_API_gets_the_clients_name()
    {
        _gateway.With("Luma:Dialect", "agents").With("Luma:SendUserId", "true").Upstream.ThenJson("""{"id":"g1","state":"queued"}""", HttpStatusCode.Created);

        using var response = await CreateAsync(Body);

        Assert.Equal("tests", Text(JsonDocument.Parse(Assert.Single(_gateway.Bodies)).RootElement, "user_id"));
    }

    [Fact]
    public async Task The_gateways_callback_address_is_sent_unless_the_caller_has_its_own()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "s3cret-of-the-callback", TestContext.Current.CancellationToken);
        _gateway.With("Callbacks:SecretFile", file).With("Callbacks:PublicUrl", "https://gateway.test").Upstream.AlwaysJson(Created);

        using var first = await CreateAsync(Body);
        using var second = await CreateAsync("""{"prompt":"cat","callback_url":"https://mine.test/hook"}""");

        Assert.StartsWith("https://gateway.test/callbacks/luma/", JsonNode.Parse(_gateway.Bodies[0])!["notify_hook"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("https://mine.test/hook", JsonNode.Parse(_gateway.Bodies[1])!["notify_hook"]!.GetValue<string>());
        File.Delete(file);
    }

    [Fact]
    public async Task A_wait_ends_when_the_generation_is_completed_and_is_still_a_201()
    {
        _gateway.Upstream.ThenJson(Created).ThenJson(Samples.Interim("g1")).AlwaysJson(Samples.CompletedAs("g1"));

        using var response = await _gateway.Clock.UntilAsync(CreateAsync(Body, ("Prefer", "wait=30")));

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("/generations/g1", response.Header("Location"));
        Assert.Equal("wait=30", response.Header("Preference-Applied"));
        Assert.Equal("completed", Text(await response.JsonAsync(), "state"));
        Assert.Single(_gateway.Upstream.Received, request => request.Method == HttpMethod.Post);
    }

    [Fact]
    public async Task A_wait_whose_reads_fail_ends_with_the_first_state()
    {
        _gateway.Upstream.ThenJson(Created).Always((_, _) => Task.FromResult(ScriptedUpstream.Json("{}", HttpStatusCode.BadRequest)));

        using var response = await _gateway.Clock.UntilAsync(CreateAsync(Body, ("Prefer", "wait=2")));

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("queued", Text(await response.JsonAsync(), "state"));
    }

    [Theory]
    [InlineData("respond-async")]
    [InlineData("wait=soon")]
    public async Task Other_preferences_do_not_wait(string preference)
    {
        _gateway.Upstream.ThenJson(Created);

        using var response = await CreateAsync(Body, ("Prefer", preference));

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("", response.Header("Preference-Applied"));
        Assert.Equal(1, _gateway.Upstream.RequestCount);
    }

    private Task<HttpResponseMessage> CreateAsync(string body, params (string Name, string Value)[] headers) => SendCreateAsync(_gateway, body, headers);

    /// <summary>Sends a create of the client <c>tests</c>.</summary>
    internal static async Task<HttpResponseMessage> SendCreateAsync(Gateway gateway, string body, params (string Name, string Value)[] headers)
    {
        using var caller = gateway.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generations") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }

    internal static List<(string Field, List<string> Reasons)> ErrorsOf(JsonElement problem) =>
        [.. problem.GetProperty("errors").EnumerateObject().Select(error => (error.Name, error.Value.EnumerateArray().Select(reason => reason.GetString()!).ToList()))];

    private static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
