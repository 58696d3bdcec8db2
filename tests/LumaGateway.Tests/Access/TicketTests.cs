using System.Buffers.Text;
using System.Net;
using LumaGateway.Tests.Assets;
using LumaGateway.Tests.LongPolling;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Access;

/// <summary>Tickets for browsers: two clients, one with <c>read</c> and one with <c>assets</c>, and one with every permission. In one process, with a CDN on loopback.</summary>
public sealed class TicketTests : IAsyncLifetime
{
    private const string SigningKey = "a-signing-key-of-thirty-two-characters";
    private const string Id = "4665a07c-7641-4809-a133-10786201bb56";

    private Cdn _cdn = null!;
    private Gateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _cdn = await Cdn.StartAsync();
        _gateway = Create();
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _cdn.DisposeAsync();
    }

    [Fact]
    public async Task A_ticket_opens_the_events_and_the_files_of_its_generation()
    {
        var ticket = await TicketAsync(_gateway, Gateway.Key);
        using var browser = _gateway.CreateCallerWithoutKey();

        using var events = await Events.OpenAsync(browser, $"/generations/{Id}/events?ticket={ticket}");
        using var video = await browser.SendGetAsync($"/generations/{Id}/video?ticket={ticket}");
        using var output = await browser.SendGetAsync($"/generations/{Id.ToUpperInvariant()}/outputs/0?ticket={ticket}");

        Assert.Equal("completed", (await events.NextAsync())?.State);
        Assert.All([video, output], response => Assert.Equal("cross-origin", response.Header("Cross-Origin-Resource-Policy")));
        Assert.Equal(Cdn.File, await video.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.OK, output.StatusCode);
    }

    [Fact]
    public async Task A_file_that_is_sent_for_a_key_stays_closed_to_pages_of_other_origins()
    {
        using var caller = _gateway.CreateCaller();

        using var video = await caller.SendGetAsync($"/generations/{Id}/video");

        Assert.Equal("same-origin", video.Header("Cross-Origin-Resource-Policy"));
    }

    [Fact]
    public async Task A_ticket_is_a_response_that_is_not_stored_and_expires_after_ten_minutes()
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.PostAsync($"/generations/{Id}/ticket", null, TestContext.Current.CancellationToken);

        var body = await response.JsonAsync();
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("no-store", response.Header("Cache-Control"));
        Assert.Equal(_gateway.Clock.GetUtcNow() + TimeSpan.FromMinutes(10), body.GetProperty("expires_at").GetDateTimeOffset());
        Assert.Equal(["ticket", "expires_at"], body.EnumerateObject().Select(member => member.Name));
        Assert.Matches("^[A-Za-z0-9_-]+$", body.GetProperty("ticket").GetString()!);
    }

    [Fact]
    public async Task A_ticket_grants_what_its_client_may_do()
    {
        var read = await TicketAsync(_gateway, "read-key");
        var assets = await TicketAsync(_gateway, "assets-key");
        using var browser = _gateway.CreateCallerWithoutKey();

        using var video = await browser.SendGetAsync($"/generations/{Id}/video?ticket={read}");
        using var events = await browser.SendGetAsync($"/generations/{Id}/events?ticket={assets}");
        using var allowed = await browser.SendGetAsync($"/generations/{Id}/video?ticket={assets}");

        await video.ProblemAsync(403, "forbidden");
        await events.ProblemAsync(403, "forbidden");
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Fact]
    public async Task A_client_with_neither_permission_gets_no_ticket()
    {
        using var caller = CallerWith(_gateway, "raw-key");

        using var response = await caller.PostAsync($"/generations/{Id}/ticket", null, TestContext.Current.CancellationToken);

        await response.ProblemAsync(403, "forbidden");
    }

    [Theory]
    [InlineData("/generations/{0}")]
    [InlineData("/generations?ids={0}")]
    [InlineData("/generations/events?ids={0}")]
    [InlineData("/luma/generations/{0}")]
    [InlineData("/generations/other/events")]
    [InlineData("/generations/other/video")]
    public async Task A_ticket_opens_no_other_route_and_no_other_generation(string path)
    {
        var ticket = await TicketAsync(_gateway, Gateway.Key);
        using var browser = _gateway.CreateCallerWithoutKey();

        using var response = await browser.SendGetAsync(string.Format(null, path, Id) + (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + $"ticket={ticket}");

        await response.ProblemAsync(401, "unauthenticated");
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_ticket_creates_and_purges_nothing()
    {
        var ticket = await TicketAsync(_gateway, Gateway.Key);
        using var browser = _gateway.CreateCallerWithoutKey();

        using var another = await browser.PostAsync($"/generations/{Id}/ticket?ticket={ticket}", null, TestContext.Current.CancellationToken);
        using var purge = await browser.DeleteAsync($"/generations/{Id}/cache?ticket={ticket}", TestContext.Current.CancellationToken);

        await another.ProblemAsync(401, "unauthenticated");
        await purge.ProblemAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task An_expired_a_changed_and_a_malformed_ticket_get_the_response_of_a_wrong_key()
    {
        var ticket = await TicketAsync(_gateway, Gateway.Key);
        var later = Change(ticket, data => data[6]++); // the expiry
        var more = Change(await TicketAsync(_gateway, "read-key"), data => data[8] = 0xFF); // the permissions
        var otherName = Change(ticket, data => data[9] ^= 1);
        var otherSignature = Change(ticket, data => data[^1] ^= 1);
        using var wrongKey = await CallerWith(_gateway, "wrong").SendGetAsync($"/generations/{Id}/video");
        var expected = (wrongKey.StatusCode, wrongKey.Header("WWW-Authenticate"), Detail: (await wrongKey.ProblemAsync(401, "unauthenticated")).GetProperty("detail").GetString());
        using var browser = _gateway.CreateCallerWithoutKey();

        foreach (var forged in new[] { later, more, otherName, otherSignature, "x", "", "%00", ticket[..^1], ticket + "A", new string('A', 5000), $"{ticket}&ticket={ticket}" })
        {
            using var response = await browser.SendGetAsync($"/generations/{Id}/video?ticket={forged}");

            var problem = await response.ProblemAsync(401, "unauthenticated");
            Assert.Equal(expected, (response.StatusCode, response.Header("WWW-Authenticate"), problem.GetProperty("detail").GetString()));
        }

        _gateway.Clock.Advance(TimeSpan.FromMinutes(10));
        using var expired = await browser.SendGetAsync($"/generations/{Id}/video?ticket={ticket}");
        await expired.ProblemAsync(401, "unauthenticated");
        Assert.Equal(0, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task An_invalid_ticket_is_refused_even_if_anonymous_requests_are_allowed()
    {
        using var gateway = Create().With("Access:AllowAnonymous", "true");
        using var browser = gateway.CreateCallerWithoutKey();

        using var invalid = await browser.SendGetAsync($"/generations/{Id}/video?ticket=x");
        using var none = await browser.SendGetAsync($"/generations/{Id}/video");

        await invalid.ProblemAsync(401, "unauthenticated");
        Assert.Equal(HttpStatusCode.OK, none.StatusCode);
    }

    [Fact]
    public async Task A_key_in_a_header_counts_before_a_ticket()
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync($"/generations/{Id}/video?ticket=x");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Replicas_with_the_same_signing_key_accept_each_others_tickets_during_a_rotation_too()
    {
        using var first = Create().With("Cache:SigningKey", SigningKey);
        using var second = Create().With("Cache:SigningKey", $"another-signing-key-of-thirty-two-chars,{SigningKey}");
        var ticket = await TicketAsync(first, Gateway.Key);
        using var browser = second.CreateCallerWithoutKey();

        using var response = await browser.SendGetAsync($"/generations/{Id}/video?ticket={ticket}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.DoesNotContain(first.Logs.GetSnapshot(), record => record.Id.Id == 1041);
    }

    [Fact]
    public async Task Without_a_signing_key_another_process_refuses_a_ticket_and_one_warning_says_so()
    {
        using var other = Create();
        var ticket = await TicketAsync(_gateway, Gateway.Key);
        await TicketAsync(_gateway, Gateway.Key);
        using var browser = other.CreateCallerWithoutKey();

        using var response = await browser.SendGetAsync($"/generations/{Id}/video?ticket={ticket}");

        await response.ProblemAsync(401, "unauthenticated");
        Assert.Single(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1041 && record.Level is LogLevel.Warning);
    }

    [Fact]
    public async Task A_ticket_of_a_client_that_the_settings_no_longer_have_or_allow_is_refused()
    {
        using var first = Create().With("Cache:SigningKey", SigningKey);
        using var second = Create().With("Cache:SigningKey", SigningKey).With("Access:Clients:1:Name", "renamed").With("Access:Clients:2:Rights:0", "raw");
        using var browser = second.CreateCallerWithoutKey();

        using var gone = await browser.SendGetAsync($"/generations/{Id}/events?ticket={await TicketAsync(first, "read-key")}");
        using var reduced = await browser.SendGetAsync($"/generations/{Id}/video?ticket={await TicketAsync(first, "assets-key")}");

        await gone.ProblemAsync(401, "unauthenticated");
        await reduced.ProblemAsync(403, "forbidden");
    }

    [Fact]
    public async Task Requests_with_a_ticket_count_for_the_limits_of_its_client()
    {
        using var gateway = Create().With("Access:Clients:2:Limits:RequestsPerSecond", "1").With("Access:Clients:2:Limits:Burst", "2");
        var ticket = await TicketAsync(gateway, "assets-key");
        using var browser = gateway.CreateCallerWithoutKey();

        using var first = await browser.SendGetAsync($"/generations/{Id}/video?ticket={ticket}");
        using var second = await browser.SendGetAsync($"/generations/{Id}/video?ticket={ticket}");

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        await second.ProblemAsync(429, "rate_limited");
    }

    [Fact]
    public async Task A_ticket_of_a_JWT_client_has_the_permissions_of_its_token()
    {
        await using var issuer = await Issuer.StartAsync();
        using var gateway = Create().With("Access:Jwt:Authority", issuer.Address).With("Access:Jwt:Audience", Issuer.Audience);
        using var caller = gateway.CreateCallerWithoutKey();
        caller.DefaultRequestHeaders.Add("Authorization", $"Bearer {issuer.Sign(gateway.Clock.GetUtcNow(), claims: [("client_id", "robot"), ("scope", "assets create")])}");
        var ticket = await TicketAsync(caller);
        using var browser = gateway.CreateCallerWithoutKey();

        using var video = await browser.SendGetAsync($"/generations/{Id}/video?ticket={ticket}");
        using var events = await browser.SendGetAsync($"/generations/{Id}/events?ticket={ticket}");

        Assert.Equal(HttpStatusCode.OK, video.StatusCode);
        await events.ProblemAsync(403, "forbidden");
    }

    [Fact]
    public async Task Without_allowed_origins_there_are_no_tickets()
    {
        using var gateway = Create().With("Cors:AllowedOrigins:0", null).With("Cache:SigningKey", SigningKey);
        using var signing = Create().With("Cache:SigningKey", SigningKey);
        using var caller = gateway.CreateCaller();
        using var browser = gateway.CreateCallerWithoutKey();

        using var create = await caller.PostAsync($"/generations/{Id}/ticket", null, TestContext.Current.CancellationToken);
        using var use = await browser.SendGetAsync($"/generations/{Id}/video?ticket={await TicketAsync(signing, Gateway.Key)}");

        await create.ProblemAsync(404, "not_found");
        await use.ProblemAsync(401, "unauthenticated");
    }

    [Fact]
    public async Task A_ticket_in_the_query_under_luma_belongs_to_the_upstream()
    {
        await using var upstream = await Loopback.StartAsync(context => context.Response.WriteAsync(context.Request.QueryString.Value!));
        using var gateway = Create().WithUpstream(upstream.Address);
        using var caller = gateway.CreateCaller();

        using var response = await caller.SendGetAsync("/luma/generations?ticket=own&limit=1");

        Assert.Equal("?ticket=own&limit=1", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static HttpClient CallerWith(Gateway gateway, string key)
    {
        var caller = gateway.CreateCallerWithoutKey();
        caller.DefaultRequestHeaders.Add("X-Api-Key", key);
        return caller;
    }

    private static async Task<string> TicketAsync(Gateway gateway, string key)
    {
        using var caller = CallerWith(gateway, key);
        return await TicketAsync(caller);
    }

    private static async Task<string> TicketAsync(HttpClient caller)
    {
        using var response = await caller.PostAsync($"/generations/{Id}/ticket", null, TestContext.Current.CancellationToken);
        return (await response.JsonAsync()).GetProperty("ticket").GetString()!;
    }

    private static string Change(string ticket, Action<byte[]> change)
    {
        var data = Base64Url.DecodeFromChars(ticket);
        change(data);
        return Base64Url.EncodeToString(data);
    }

    private Gateway Create()
    {
        var gateway = AssetGateway.For(_cdn).With("Cors:AllowedOrigins:0", "https://app.example");
        foreach (var (index, name) in new[] { (1, "read"), (2, "assets"), (3, "raw") })
        {
            gateway.With($"Access:Clients:{index}:Name", name).With($"Access:Clients:{index}:KeySha256", Gateway.Digest($"{name}-key")).With($"Access:Clients:{index}:Rights:0", name);
        }

        gateway.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(AssetGateway.Completed(_cdn.Link()).Replace("g1", request.RequestUri!.Segments[^1], StringComparison.Ordinal))));
        return gateway;
    }
}
