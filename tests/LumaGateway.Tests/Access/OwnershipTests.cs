using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Tests.Jobs;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Redis;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LumaGateway.Tests.Access;

/// <summary>With <c>Access:Ownership</c> <c>Group</c>, a foreign id is handled exactly as an unknown one. Needs nothing.</summary>
public sealed partial class OwnershipTests : IDisposable
{
    private const string Foreign = "11111111-1111-4111-8111-111111111111";
    private const string Unknown = "22222222-2222-4222-8222-222222222222";
    private const string Own = "33333333-3333-4333-8333-333333333333";

    private readonly RawGateway _raw = new();

    public OwnershipTests() => _raw.Gateway
        .With("Access:Ownership", "Group")
        .With("Access:Clients:0:Group", "team-a")
        .With("Access:Clients:1:Name", "admin")
        .With("Access:Clients:1:KeySha256", Gateway.Digest("admin-key"))
        .With("Access:Clients:1:Rights:0", "read")
        .With("Access:Clients:1:Rights:1", "raw")
        .With("Access:Clients:1:Rights:2", "read-all")
        .With("Cors:AllowedOrigins:0", "https://app.example.com");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task Every_route_and_method_with_an_id_handles_a_foreign_id_as_an_unknown_one()
    {
        using var caller = await CallerAsync();
        var checkedRoutes = new List<string>();
        foreach (var (method, path) in RoutesWithIds())
        {
            var foreign = await SendAsync(caller, method, path.Replace("{id}", Foreign, StringComparison.Ordinal));
            var unknown = await SendAsync(caller, method, path.Replace("{id}", Unknown, StringComparison.Ordinal));

            Assert.Equal(unknown, foreign);
            Assert.StartsWith("404 ", foreign, StringComparison.Ordinal);
            Assert.True(foreign.Contains("\"code\":\"generation_not_found\"", StringComparison.Ordinal) || method is "HEAD", $"{method} {path}: {foreign}");
            checkedRoutes.Add($"{method} {path}");
        }

        Assert.Equal(0, _raw.Upstream.RequestCount);
        Assert.Superset(
            new HashSet<string>
            {
                "GET /generations/{id}", "HEAD /generations/{id}", "GET /generations/{id}/events", "GET /generations/{id}/video", "HEAD /generations/{id}/outputs/0",
                "DELETE /generations/{id}", "DELETE /generations/{id}/cache", "POST /generations/{id}/ticket", "GET /luma/generations/{id}", "DELETE /luma/generations/{id}",
                "POST /luma/generations/{id}/extend", "POST /luma/generations/{id}/upscale", "POST /luma/generations/{id}/audio",
                "GET /luma/task/{id}", "HEAD /luma/task/{id}",
            },
            checkedRoutes.ToHashSet());
    }

    [Fact]
    public async Task Waits_and_reads_with_an_ETag_handle_a_foreign_id_as_an_unknown_one()
    {
        using var caller = await CallerAsync();
        foreach (var (name, value) in ((string, string)[])[("Prefer", "wait=30"), ("If-None-Match", "*"), ("Last-Event-ID", "c")])
        {
            foreach (var path in (string[])["/generations/{id}", "/generations/{id}/events"])
            {
                Assert.Equal(
                    await SendAsync(caller, "GET", path.Replace("{id}", Unknown, StringComparison.Ordinal), (name, value)),
                    await SendAsync(caller, "GET", path.Replace("{id}", Foreign, StringComparison.Ordinal), (name, value)));
            }
        }

        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_foreign_generation_in_the_cache_is_not_served()
    {
        using var admin = await CallerAsync("admin-key");
        using var caller = _raw.CreateCaller();
        _raw.Upstream.ThenJson(Completed(Foreign));
        using var read = await admin.GetAsync(new Uri($"/generations/{Foreign}", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);

        Assert.Equal(await SendAsync(caller, "GET", $"/generations/{Unknown}"), await SendAsync(caller, "GET", $"/generations/{Foreign}"));
    }

    [Fact]
    public async Task A_group_reads_its_own_generation_from_the_cache_without_the_ledger()
    {
        using var caller = await CallerAsync();
        _raw.Upstream.ThenJson(Completed(Own));

        using var first = await caller.GetAsync(new Uri($"/generations/{Own}", UriKind.Relative), Cancelled);
        await _raw.Gateway.Services.GetRequiredService<IJobLedger>().ApplyAsync(new JobChange(null, JobOf(Own, "team-a")));
        using var second = await caller.GetAsync(new Uri($"/generations/{Own}", UriKind.Relative), Cancelled);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.StartsWith("LumaGateway; hit", second.Headers.GetValues("Cache-Status").Single(), StringComparison.Ordinal);
        Assert.Equal(1, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_batch_has_the_problem_of_an_unknown_id_for_a_foreign_one()
    {
        using var caller = await CallerAsync();
        _raw.Upstream.ThenJson(Completed(Own));

        var body = await caller.GetStringAsync(new Uri($"/generations?ids={Foreign},{Own},{Unknown}", UriKind.Relative), Cancelled);

        using var batch = JsonDocument.Parse(body);
        var items = batch.RootElement.GetProperty("generations").EnumerateArray().ToList();
        Assert.Equal("completed", items[1].GetProperty("generation").GetProperty("state").GetString());
        Assert.Equal("generation_not_found", items[0].GetProperty("problem").GetProperty("code").GetString());
        Assert.Equal(Normalize(items[2].GetRawText()), Normalize(items[0].GetRawText()));
        Assert.Equal(1, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData($"{Foreign},{Own}", $"{Unknown},{Own}")]
    [InlineData($"{Own},{Foreign}", $"{Own},{Unknown}")]
    [InlineData($"{Foreign}", $"{Unknown}")]
    [InlineData($"{Foreign},11111111-1111-4111-8111-111111111112", $"{Unknown},22222222-2222-4222-8222-222222222223")]
    public async Task A_stream_of_several_has_the_events_of_an_unknown_id_for_a_foreign_one(string foreign, string unknown)
    {
        using var caller = await CallerAsync();
        if (foreign.Contains(Own, StringComparison.Ordinal))
        {
            _raw.Upstream.ThenJson(Completed(Own));
            await SendAsync(caller, "GET", $"/generations/{Own}"); // from now on in memory: both streams know its state at once
        }

        var withForeign = await SendAsync(caller, "GET", $"/generations/events?ids={foreign}");
        var withUnknown = await SendAsync(caller, "GET", $"/generations/events?ids={unknown}");

        Assert.Equal(withUnknown, withForeign);
        Assert.Contains("generation_not_found", withForeign, StringComparison.Ordinal);
        Assert.Equal(foreign.Contains(Own, StringComparison.Ordinal) ? 1 : 0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_slow_stream_of_several_does_not_read_a_foreign_id()
    {
        using var caller = await CallerAsync();
        var ledger = _raw.Gateway.Services.GetRequiredService<IJobLedger>();
        string[] slow = [.. Enumerable.Range(0, 8).Select(index => string.Create(CultureInfo.InvariantCulture, $"slow-{index}"))]; // as many as a stream reads at once
        foreach (var id in slow)
        {
            await ledger.ApplyAsync(JobChange.Begin(JobOf(id, "team-a")));
        }

        var (step, read) = (new HeldStep(), new ConcurrentBag<string>());
        _raw.Upstream.Always(async (request, _) =>
        {
            var id = request.RequestUri!.Segments[^1];
            read.Add(id);
            await step.HoldAsync();
            return ScriptedUpstream.Json(Completed(id));
        });
        var sending = SendAsync(caller, "GET", $"/generations/events?ids={string.Join(',', slow)},{Foreign}");
        await _raw.Upstream.WaitForRequestsAsync(slow.Length);
        _raw.Gateway.Clock.Advance(TimeSpan.FromSeconds(5));
        step.Release();

        Assert.Contains("generation_not_found", await sending, StringComparison.Ordinal);
        Assert.DoesNotContain(Foreign, read);
    }

    [Fact]
    public async Task The_list_of_the_account_is_refused_without_the_permission_read_all()
    {
        using var caller = await CallerAsync();
        using var admin = _raw.Gateway.CreateCallerWithoutKey();
        admin.DefaultRequestHeaders.Add("X-Api-Key", "admin-key");
        _raw.Upstream.ThenJson("""{"generations":[]}""");

        var refused = await SendAsync(caller, "GET", "/luma/generations");
        var allowed = await SendAsync(admin, "GET", "/luma/generations");

        Assert.StartsWith("403 ", refused, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"list_refused\"", refused, StringComparison.Ordinal);
        Assert.Contains("GET /jobs", refused, StringComparison.Ordinal);
        Assert.StartsWith("200 ", allowed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/luma/{**rest}")]
    [InlineData("/luma/tasks/{task}")]
    public async Task A_route_whose_ids_the_gateway_cannot_read_is_refused(string path)
    {
        _raw.Gateway.With("ReverseProxy:Routes:other:ClusterId", "luma").With("ReverseProxy:Routes:other:Match:Path", path).With("ReverseProxy:Routes:other:Order", "100");
        using var caller = await CallerAsync();

        Assert.Contains("list_refused", await SendAsync(caller, "GET", $"/luma/tasks/{Foreign}"), StringComparison.Ordinal);
        Assert.Contains("list_refused", await SendAsync(caller, "POST", $"/luma/tasks/{Foreign}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_have_no_owner()
    {
        using var caller = await CallerAsync();
        _raw.Upstream.ThenJson("""{"id":"f1"}""");

        Assert.StartsWith("200 ", await SendAsync(caller, "GET", "/luma/files/f1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/luma/generations")]
    [InlineData("/generations")]
    public async Task A_client_reads_and_deletes_what_it_creates_and_another_group_does_not_find_it(string path)
    {
        _raw.Gateway.With("Access:Clients:2:Name", "team-c").With("Access:Clients:2:KeySha256", Gateway.Digest("other-key"))
            .With("Access:Clients:2:Rights:0", "read").With("Access:Clients:2:Rights:1", "delete");
        using var other = await CallerAsync("other-key");
        using var caller = await CallerAsync();
        _raw.Upstream.ThenJson($$"""{"id":"{{Unknown}}","state":"pending"}""", HttpStatusCode.Created).ThenJson(Completed(Unknown));

        var created = await SendAsync(caller, "POST", path);
        var read = await SendAsync(caller, "GET", $"/generations/{Unknown}");

        Assert.StartsWith("201 ", created, StringComparison.Ordinal);
        Assert.StartsWith("200 ", read, StringComparison.Ordinal);
        foreach (var method in (string[])["GET", "DELETE"])
        {
            var foreign = await SendAsync(other, method, $"/generations/{Unknown}");
            Assert.Equal(await SendAsync(other, method, "/generations/22222222-2222-4222-8222-222222222223"), foreign);
            Assert.StartsWith("404 ", foreign, StringComparison.Ordinal);
        }

        _raw.Upstream.ThenJson("{}", HttpStatusCode.NotFound);
        Assert.StartsWith("409 ", await SendAsync(caller, "DELETE", $"/generations/{Unknown}"), StringComparison.Ordinal); // the relay cannot delete
    }

    [Fact]
    public async Task A_ledger_that_fails_makes_every_id_unavailable_and_no_create_is_sent()
    {
        var ledger = new GuardedLedger(Ledgers.InMemory(_raw.Gateway.Clock));
        _raw.Gateway.With(services => services.Replace(ServiceDescriptor.Singleton<IJobLedger>(ledger)));
        using var caller = await CallerAsync();
        ledger.IsAvailable = false;

        var foreign = await SendAsync(caller, "GET", $"/generations/{Foreign}");
        Assert.Equal(await SendAsync(caller, "GET", $"/generations/{Unknown}"), foreign);
        Assert.StartsWith("503 ", foreign, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"ledger_unavailable\"", foreign, StringComparison.Ordinal);
        Assert.Contains("ledger_unavailable", await SendAsync(caller, "POST", "/luma/generations"), StringComparison.Ordinal);
        Assert.Contains("ledger_unavailable", await SendAsync(caller, "POST", "/generations"), StringComparison.Ordinal);
        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_ticket_of_an_own_generation_is_valid_without_another_look()
    {
        using var caller = await CallerAsync();
        using var browser = _raw.Gateway.CreateCallerWithoutKey();
        _raw.Upstream.ThenJson(Completed(Own));
        using var created = await caller.PostAsync(new Uri($"/generations/{Own}/ticket", UriKind.Relative), null, Cancelled);
        using var ticket = JsonDocument.Parse(await created.Content.ReadAsStringAsync(Cancelled));

        var events = await SendAsync(browser, "GET", $"/generations/{Own}/events?ticket={ticket.RootElement.GetProperty("ticket").GetString()}");

        Assert.StartsWith("200 ", events, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("team-a", 200)]
    [InlineData("team-b", 404)]
    [InlineData("{bad}", 404)]
    [InlineData(null, 404)]
    [InlineData(new[] { "team-a" }, 404)]
    public async Task The_group_of_a_token_is_in_the_configured_claim(object? group, int status)
    {
        await using var issuer = await Issuer.StartAsync();
        _raw.Gateway.With("Access:Jwt:Authority", issuer.Address).With("Access:Jwt:Audience", Issuer.Audience).With("Access:Jwt:GroupClaim", "team");
        using var _ = await CallerAsync();
        using var robot = _raw.Gateway.CreateCallerWithoutKey();
        (string Name, object Value)[] claims = [("client_id", "robot"), ("scope", "read"), .. group is null ? Array.Empty<(string, object)>() : [("team", group)]];
        robot.DefaultRequestHeaders.Authorization = new("Bearer", issuer.Sign(_raw.Gateway.Clock.GetUtcNow(), claims: claims));
        _raw.Upstream.ThenJson(Completed(Own));

        Assert.StartsWith($"{status} ", await SendAsync(robot, "GET", $"/generations/{Own}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anonymous")]
    [InlineData("jwt:another")]
    public async Task A_claim_cannot_name_the_group_of_callers_without_a_claim(string group)
    {
        await using var issuer = await Issuer.StartAsync();
        _raw.Gateway.With("Access:Jwt:Authority", issuer.Address).With("Access:Jwt:Audience", Issuer.Audience).With("Access:Jwt:GroupClaim", "team");
        using var _ = await CallerAsync();
        await _raw.Gateway.Services.GetRequiredService<IJobLedger>().ApplyAsync(JobChange.Begin(JobOf("g7", group)));
        using var robot = _raw.Gateway.CreateCallerWithoutKey();
        robot.DefaultRequestHeaders.Authorization = new("Bearer", issuer.Sign(_raw.Gateway.Clock.GetUtcNow(), claims: [("client_id", "robot"), ("scope", "read"), ("team", group)]));

        Assert.StartsWith("404 ", await SendAsync(robot, "GET", "/generations/g7"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_malformed_id_is_refused_as_without_ownership()
    {
        using var caller = await CallerAsync();

        Assert.StartsWith("400 ", await SendAsync(caller, "GET", "/generations/a%20b"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_ownership_every_client_reads_every_generation()
    {
        _raw.Gateway.With("Access:Ownership", null);
        using var caller = await CallerAsync();
        _raw.Upstream.ThenJson(Completed(Foreign));

        Assert.StartsWith("200 ", await SendAsync(caller, "GET", $"/generations/{Foreign}"), StringComparison.Ordinal);
    }

    private static string Completed(string id) => $$$"""{"id":"{{{id}}}","state":"completed","video":{"url":"https://cdn.example.com/{{{id}}}.mp4"}}""";

    private static Job JobOf(string id, string group) =>
        new(id, "upstream.test", "relay", group, group, null, new DateTimeOffset(2026, 4, 8, 12, 0, 0, TimeSpan.Zero), null, JobState.Queued);

    /// <summary>The ledger has a generation of this client's group, and one of another group.</summary>
    private async Task<HttpClient> CallerAsync(string key = Gateway.Key)
    {
        var caller = _raw.Gateway.CreateCallerWithoutKey();
        caller.DefaultRequestHeaders.Add("X-Api-Key", key);
        var ledger = _raw.Gateway.Services.GetRequiredService<IJobLedger>();
        await ledger.ApplyAsync(JobChange.Begin(JobOf(Own, "team-a")));
        await ledger.ApplyAsync(JobChange.Begin(JobOf(Foreign, "team-b")));
        return caller;
    }

    /// <summary>From the endpoints of the gateway, so that a new route is in the test.</summary>
    private IEnumerable<(string Method, string Path)> RoutesWithIds() =>
        from endpoint in _raw.Gateway.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let path = Parameter().Replace("/" + endpoint.RoutePattern.RawText!.TrimStart('/'), match => match.Groups["name"].Value is "id" ? "{id}" : "0")
        where path.Contains("{id}", StringComparison.Ordinal) && !path.StartsWith("/luma/files", StringComparison.Ordinal)
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        select (method, path);

    [GeneratedRegex(@"\{\**(?<name>[^:}]+)(:[^}]*)?\}")]
    private static partial Regex Parameter();

    /// <summary>Status, headers and body, without what differs between two requests for one id.</summary>
    private static async Task<string> SendAsync(HttpClient caller, string method, string path, (string Name, string Value)? header = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method is "POST")
        {
            request.Content = new StringContent("""{"prompt":"a cat"}""", Encoding.UTF8, "application/json");
        }

        if (header is var (name, value))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await caller.SendAsync(request, Cancelled);
        var headers = string.Join('\n', response.Headers.Concat(response.Content.Headers).Select(one => $"{one.Key}: {string.Join(',', one.Value)}").Order());
        return Normalize($"{(int)response.StatusCode} {headers}\n\n{await response.Content.ReadAsStringAsync(Cancelled)}");
    }

    private static string Normalize(string text) => Ids().Replace(Requests().Replace(text, ""), "(id)");

    [GeneratedRegex("""X-Request-I[dD]: [^\n]*|"(request_id|trace_id)":("[^"]*"|null)""")]
    private static partial Regex Requests();

    [GeneratedRegex("(11111111|22222222)-[0-9-]{27}[0-9a-f]?")]
    private static partial Regex Ids();
}
