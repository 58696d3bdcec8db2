using System.Net;
using System.Net.Http.Headers;
using System.Text;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Proxy;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Proxy;

/// <summary>The account of a request under <c>/luma</c>. Needs nothing.</summary>
public sealed class AccountRoutingTests : IDisposable
{
    private readonly RawGateway _raw = new();
    private readonly Dictionary<string, HttpStatusCode> _faults = [];

    public AccountRoutingTests()
    {
        _raw.Gateway.WithAccounts(
            TestAccounts.Named("a", weight: 3), TestAccounts.Named("b", "dream-machine"), TestAccounts.Named("c", weight: 1), TestAccounts.Named("d", "piapi"));
        _raw.Upstream.Always((request, _) =>
        {
            var account = request.RequestUri!.Host.Split('.')[0];
            var id = request.RequestUri.Segments[^1];
            return Task.FromResult(
                _faults.TryGetValue(account, out var fault) ? ScriptedUpstream.Json($"refused by {account}", fault)
                : request.Method == HttpMethod.Post ? ScriptedUpstream.Json($$"""{"id":"{{account}}1","state":"queued"}""", HttpStatusCode.Created)
                : id.StartsWith(account, StringComparison.Ordinal) ? ScriptedUpstream.Json($$"""{"id":"{{id}}","state":"processing"}""")
                : ScriptedUpstream.Json($$"""{"detail":"not found on {{account}}"}""", HttpStatusCode.NotFound));
        });
    }

    public void Dispose() => _raw.Dispose();

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public async Task The_header_chooses_the_account_and_is_not_sent_to_it(string account)
    {
        using var caller = _raw.CreateCaller();
        caller.DefaultRequestHeaders.Add(AccountMiddleware.Header, account);

        using var response = await caller.SendGetAsync("/luma/generations");

        var sent = Assert.Single(_raw.Upstream.Received);
        Assert.Equal($"{account}.test", sent.Address.Host);
        Assert.Equal($"Bearer {TestAccounts.TokenOf(account)}", sent.Headers["Authorization"]);
        Assert.DoesNotContain(AccountMiddleware.Header, sent.Headers.Keys);
    }

    [Theory]
    [InlineData("unknown")]
    [InlineData("A")]
    public async Task An_invalid_request_in_the_header_is_refused(string account)
    {
        using var caller = _raw.CreateCaller();
        caller.DefaultRequestHeaders.Add(AccountMiddleware.Header, account);

        using var response = await caller.SendGetAsync("/luma/generations");

        await response.ProblemAsync(400, "unknown_account");
        Assert.Equal(0, _raw.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_client_keeps_its_account_if_a_reload_names_one_that_exists_only_after_a_restart()
    {
        _raw.Gateway.With("Access:Clients:0:Account", "c");
        using var caller = _raw.CreateCaller();
        var settings = new ChangingSettings("{}");
        ((IConfigurationBuilder)_raw.Gateway.Services.GetRequiredService<IConfiguration>()).Add(settings);

        settings.Update("""{ "Luma:Accounts:2:Name": "renamed", "Access:Clients:0:Account": "renamed" }""");
        await Poll.UntilAsync(() => _raw.Gateway.Logs.GetSnapshot().Any(record => record.Id.Id is 1001 or 1002)); // reloaded or refused
        using var response = await caller.SendGetAsync("/luma/generations");

        Assert.Equal("c.test", Assert.Single(_raw.Upstream.Received).Address.Host);
    }

    [Fact]
    public async Task A_client_with_an_account_uses_it_for_everything_and_no_other()
    {
        _raw.Gateway.With("Access:Clients:0:Account", "c");
        using var caller = _raw.CreateCaller();

        using var list = await caller.SendGetAsync("/luma/generations");
        using var read = await caller.SendGetAsync("/luma/generations/a1");
        using var create = await CreateAsync(caller);
        caller.DefaultRequestHeaders.Add(AccountMiddleware.Header, "a");
        using var other = await caller.SendGetAsync("/luma/generations");

        await other.ProblemAsync(400, "unknown_account");
        Assert.Equal("c c c", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task A_path_with_an_id_goes_to_the_account_of_the_id()
    {
        using var caller = _raw.CreateCaller();

        using var first = await caller.SendGetAsync("/luma/generations/b1");
        using var second = await caller.SendGetAsync("/luma/generations/b1");
        using var delete = await caller.DeleteAsync("/luma/generations/b1", TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal("a b b b b", _raw.Upstream.AccountsOf()); // a and b were searched, then the three requests
    }

    [Fact]
    public async Task An_id_that_no_account_has_gets_the_response_of_the_first_one()
    {
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync("/luma/generations/x1");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("not found on a", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("a b c d a", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task An_unknown_id_gets_the_fault_of_an_account_that_could_not_be_asked()
    {
        _faults["b"] = HttpStatusCode.PaymentRequired;
        using var caller = _raw.CreateCaller();

        using var response = await caller.SendGetAsync("/luma/generations/x1");

        await response.ProblemAsync(502, "upstream_out_of_credit");
        Assert.Equal("a b c d", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task Lists_and_without_an_account_of_the_Agents_API_files_go_to_the_first_account()
    {
        using var caller = _raw.CreateCaller();

        using var list = await caller.SendGetAsync("/luma/generations");
        using var file = await caller.SendGetAsync("/luma/files/b1");
        using var upload = await CreateAsync(caller, "/luma/files");

        Assert.Equal("a a a", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task Files_and_usage_go_to_the_first_account_of_the_Agents_API_or_to_the_named_one()
    {
        _raw.Gateway.WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b", "agents"), TestAccounts.Named("c", "agents"));
        using var caller = _raw.CreateCaller();

        using var list = await caller.SendGetAsync("/luma/files");
        using var file = await caller.SendGetAsync("/luma/Files/a1/");
        using var usage = await caller.SendGetAsync("/luma/usage");
        using var upload = await CreateAsync(caller, "/luma/files");
        using var complete = await CreateAsync(caller, "/luma/files/a1/complete");
        caller.DefaultRequestHeaders.Add(AccountMiddleware.Header, "c");
        using var named = await CreateAsync(caller, "/luma/files");

        Assert.Equal("b b b b b c", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task Files_of_a_client_with_an_account_go_there()
    {
        _raw.Gateway.WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b", "agents"), TestAccounts.Named("c", "agents")).With("Access:Clients:0:Account", "c");
        using var caller = _raw.CreateCaller();

        using var upload = await CreateAsync(caller, "/luma/files");

        Assert.Equal("c", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task Creates_are_split_by_weight_among_the_accounts_of_the_paths_dialect()
    {
        using var caller = _raw.CreateCaller();
        for (var i = 0; i < 8; i++)
        {
            using var relay = await CreateAsync(caller);
            using var dreamMachine = await CreateAsync(caller, "/luma/generations/video");
            using var piApi = await CreateAsync(caller, "/luma/task");
            Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created, HttpStatusCode.Created), (relay.StatusCode, dreamMachine.StatusCode, piApi.StatusCode));
        }

        Assert.Equal("a:6 b:8 c:2 d:8", string.Join(' ', _raw.Upstream.Received.CountBy(one => one.Address.Host[..1]).OrderBy(one => one.Key).Select(one => $"{one.Key}:{one.Value}")));
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.PaymentRequired)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(HttpStatusCode.TooManyRequests)]
    public async Task A_create_that_the_account_refuses_moves_to_the_next_one_with_its_body(HttpStatusCode refusal)
    {
        _faults["a"] = refusal;
        using var moves = _raw.Gateway.Collect<long>("luma_gateway.passthrough.moves");
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller);
        using var next = await CreateAsync(caller);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (response.StatusCode, next.StatusCode));
        Assert.Equal("a c c", _raw.Upstream.AccountsOf());
        Assert.All(_raw.Bodies, body => Assert.Equal(Body, body));
        Assert.Equal("a", Assert.Single(moves.GetMeasurementSnapshot()).Tags["luma_gateway.upstream.account"]);
    }

    [Fact]
    public async Task A_date_in_Retry_After_keeps_creates_away_from_the_account()
    {
        var clock = _raw.Gateway.Clock;
        _raw.Upstream.Then((_, _) =>
        {
            var response = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            response.Headers.Date = clock.GetUtcNow().AddHours(3);
            response.Headers.RetryAfter = new RetryConditionHeaderValue(clock.GetUtcNow().AddHours(3).AddSeconds(40));
            return Task.FromResult(response);
        });
        using var caller = _raw.CreateCaller();

        using var moved = await CreateAsync(caller);
        clock.Advance(TimeSpan.FromSeconds(30));
        using var held = await CreateAsync(caller);
        clock.Advance(TimeSpan.FromSeconds(11));
        using var next = await CreateAsync(caller);

        Assert.Equal("a c c a", _raw.Upstream.AccountsOf());
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.RequestTimeout)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task A_create_is_not_repeated_after_any_other_response(HttpStatusCode status)
    {
        _faults["a"] = status;
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal("a", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task A_create_moves_on_if_nothing_was_sent_and_stays_if_anything_was()
    {
        _raw.Upstream.ThenThrow(new HttpRequestException(HttpRequestError.ConnectionError));
        using var caller = _raw.CreateCaller();

        using var moved = await CreateAsync(caller);
        _raw.Upstream.ThenThrow(new HttpRequestException(HttpRequestError.ResponseEnded));
        using var ambiguous = await CreateAsync(caller);

        Assert.Equal(HttpStatusCode.Created, moved.StatusCode);
        Assert.Equal(HttpStatusCode.BadGateway, ambiguous.StatusCode);
        Assert.Equal("false", ambiguous.Header("x-should-retry"));
        Assert.Equal("a c c", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task The_last_refusal_is_the_response_if_every_account_refuses()
    {
        (_faults["a"], _faults["c"]) = (HttpStatusCode.PaymentRequired, HttpStatusCode.TooManyRequests);
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller);

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal("a c", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task A_create_with_a_key_moves_on_and_its_response_is_replayed()
    {
        _faults["a"] = HttpStatusCode.TooManyRequests;
        using var caller = _raw.CreateCaller();
        caller.DefaultRequestHeaders.Add("Idempotency-Key", "k1");

        using var first = await CreateAsync(caller);
        using var second = await CreateAsync(caller);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, second.StatusCode));
        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.Equal("a c", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task A_create_goes_to_an_account_with_a_free_slot_and_waits_only_if_none_has_one()
    {
        var created = 0;
        _raw.Gateway.With("Luma:Accounts:0:MaxConcurrentJobs", "1").With("Luma:Accounts:2:MaxConcurrentJobs", "2").With("Jobs:QueueTimeout", "00:00:00");
        _raw.Upstream.Always((_, _) => Task.FromResult(ScriptedUpstream.Json($$"""{"id":"g{{++created}}","state":"queued"}""", HttpStatusCode.Created)));
        using var caller = _raw.CreateCaller();

        for (var i = 0; i < 3; i++)
        {
            using var response = await CreateAsync(caller);
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }

        using var saturated = await CreateAsync(caller);

        await saturated.ProblemAsync(503, "account_saturated");
        Assert.Equal("a c c", _raw.Upstream.AccountsOf());
    }

    [Theory]
    [InlineData("a")]
    [InlineData("c")]
    public async Task A_create_that_waits_goes_to_the_account_that_has_a_free_slot_first(string freed)
    {
        _raw.Gateway.With("Luma:Accounts:0:MaxConcurrentJobs", "1").With("Luma:Accounts:2:MaxConcurrentJobs", "1");
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller);
        using var second = await CreateAsync(caller);
        using var waiting = _raw.Gateway.Collect<long>("luma_gateway.jobs.waiting");
        var third = CreateAsync(caller);
        await Eventually.TrueAsync(() => waiting.GetMeasurementSnapshot().Sum(one => one.Value) == 1);
        Assert.Equal("a", waiting.GetMeasurementSnapshot()[^1].Tags["luma_gateway.upstream.account"]);

        await _raw.Gateway.Services.GetRequiredService<JobSlots>().ReleaseAsync(freed, GenerationId.Parse(freed + "1", null));
        await Eventually.TrueAsync(() =>
        {
            _raw.Gateway.Clock.Advance(TimeSpan.FromMilliseconds(100));
            return third.IsCompleted;
        });

        using var response = await third;
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(freed, _raw.Upstream.Received.Last(sent => sent.Method == HttpMethod.Post).Address.Host.Split('.')[0]);
    }

    [Fact]
    public async Task A_create_that_moves_gives_the_slot_of_the_refusing_account_back()
    {
        _raw.Gateway.With("Luma:Accounts:0:MaxConcurrentJobs", "1").With("Jobs:QueueTimeout", "00:00:00");
        _faults["a"] = HttpStatusCode.TooManyRequests;
        using var caller = _raw.CreateCaller();
        using var moved = await CreateAsync(caller);
        _faults.Clear();
        _raw.Gateway.Clock.Advance(TimeSpan.FromSeconds(5));

        using var next = await CreateAsync(caller);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (moved.StatusCode, next.StatusCode));
        Assert.Equal("a c a", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task The_audit_event_of_a_create_names_its_account()
    {
        _faults["a"] = HttpStatusCode.TooManyRequests;
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller);

        await Poll.UntilAsync(() => _raw.Gateway.Logs.GetSnapshot().Any(line => line.Id.Id == 1012));
        var audited = Assert.Single(_raw.Gateway.Logs.GetSnapshot(), line => line.Id.Id == 1012);
        Assert.Equal("c", audited.GetStructuredStateValue("Account"));
    }

    [Fact]
    public async Task Replays_do_not_change_the_shares()
    {
        using var caller = _raw.CreateCaller();
        for (var i = 0; i < 8; i++)
        {
            for (var repetition = 0; repetition < 2; repetition++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent(Body, Encoding.UTF8, "application/json") };
                request.Headers.Add("Idempotency-Key", $"k{i}");
                using var response = await caller.SendAsync(request, TestContext.Current.CancellationToken);
                Assert.Equal(HttpStatusCode.Created, response.StatusCode);
            }
        }

        Assert.Equal((6, 2), (_raw.Upstream.AccountsOf().Count(name => name == 'a'), _raw.Upstream.AccountsOf().Count(name => name == 'c')));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("k1")]
    public async Task The_ledger_has_the_account_that_ran_the_create(string? key)
    {
        _faults["a"] = HttpStatusCode.TooManyRequests;
        using var caller = _raw.CreateCaller();
        caller.DefaultRequestHeaders.Add(key is null ? "X-Test" : "Idempotency-Key", key ?? "none");

        using var response = await CreateAsync(caller);
        using var read = await caller.SendGetAsync("/generations/c1");

        var job = await _raw.Gateway.Services.GetRequiredService<IJobLedger>().FindAsync(GenerationId.Parse("c1", null), TestContext.Current.CancellationToken);
        Assert.Equal(("c", "relay"), (job!.Account, job.Dialect));
        Assert.Equal("a c c", _raw.Upstream.AccountsOf()); // the read goes to c without a search
    }

    [Theory]
    [InlineData(null)]
    [InlineData("k1")]
    public async Task The_ledger_has_the_account_whose_outcome_is_unknown(string? key)
    {
        _faults["a"] = HttpStatusCode.TooManyRequests;
        _faults["c"] = HttpStatusCode.InternalServerError;
        using var caller = _raw.CreateCaller();
        caller.DefaultRequestHeaders.Add(key is null ? "X-Test" : "Idempotency-Key", key ?? "none");

        using var response = await CreateAsync(caller);

        var jobs = await _raw.Gateway.Services.GetRequiredService<IJobLedger>().ListAsync(
            new JobQuery(null, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, 10), TestContext.Current.CancellationToken);
        Assert.Equal([("c", JobState.Unknown)], jobs.Jobs.Select(job => (job.Account, job.State)));
        Assert.Equal("a c", _raw.Upstream.AccountsOf());
    }

    [Fact]
    public async Task A_draining_account_gets_no_creates_and_serves_reads()
    {
        _raw.Gateway.With("Luma:Accounts:0:Draining", "true").With("Luma:Accounts:1:Draining", "true");
        using var caller = _raw.CreateCaller();

        using var create = await CreateAsync(caller);
        using var read = await caller.SendGetAsync("/luma/generations/a1");
        using var extend = await CreateAsync(caller, "/luma/generations/a1/extend");
        using var video = await CreateAsync(caller, "/luma/generations/video");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (create.StatusCode, read.StatusCode));
        await extend.ProblemAsync(503, "account_draining");
        await video.ProblemAsync(503, "account_draining");
        Assert.Equal("c a a", _raw.Upstream.AccountsOf());
    }

    private const string Body = """{"user_prompt":"cat"}""";

    private static Task<HttpResponseMessage> CreateAsync(HttpClient caller, string path = "/luma/generations") =>
        caller.PostAsync(path, new StringContent(Body, Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken);
}
