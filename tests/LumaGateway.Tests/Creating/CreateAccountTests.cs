using System.Net;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Creating;

/// <summary>The account, the job and the idempotency record of a create at <c>POST /generations</c>. Needs nothing.</summary>
public sealed class CreateAccountTests : IDisposable
{
    private readonly Gateway _gateway = new();
    private readonly Dictionary<string, HttpStatusCode> _faults = [];
    private int _count;

    public CreateAccountTests()
    {
        _gateway.WithAccounts(TestAccounts.Named("a", weight: 3), TestAccounts.Named("b", "dream-machine"));
        _gateway.Upstream.Always((request, _) =>
        {
            var account = AccountOf(request.RequestUri!);
            return Task.FromResult(
                _faults.TryGetValue(account, out var fault) ? ScriptedUpstream.Json("""{"detail":"refused"}""", fault)
                : request.Method == HttpMethod.Post ? ScriptedUpstream.Json($$"""{"id":"{{account}}{{Interlocked.Increment(ref _count)}}","state":"queued"}""", HttpStatusCode.Created)
                : ScriptedUpstream.Json($$"""{"id":"{{request.RequestUri!.Segments[^1]}}","state":"processing"}"""));
        });
    }

    private IEnumerable<string> Asked => _gateway.Upstream.Received.Select(request => AccountOf(request.Address));

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Creates_are_split_by_weight_over_accounts_of_different_dialects()
    {
        for (var i = 0; i < 40; i++)
        {
            using var response = await CreateAsync();
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }

        Assert.Equal((30, 10), (Asked.Count(account => account == "a"), Asked.Count(account => account == "b")));
        Assert.Contains("""{"user_prompt":"cat dance"}""", _gateway.Bodies);
        Assert.Contains(_gateway.Bodies, body => body.Contains("\"prompt\":\"cat dance\"", StringComparison.Ordinal) && body.Contains("\"model\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.PaymentRequired)]
    [InlineData(HttpStatusCode.Unauthorized)]
    public async Task A_create_moves_to_the_next_account_if_the_first_one_refuses_the_account(HttpStatusCode refusal)
    {
        _faults["a"] = refusal;

        using var response = await CreateAsync();

        Assert.Equal("/generations/b1", response.Header("Location"));
        Assert.Equal(["a", "b"], Asked);
        Assert.Equal(["b1 b dream-machine"], await JobsAsync());
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    [InlineData(HttpStatusCode.InternalServerError)]
    public async Task A_create_stays_if_the_request_is_refused_or_the_outcome_is_unknown(HttpStatusCode status)
    {
        _faults["a"] = status;

        using var response = await CreateAsync();

        Assert.False(response.IsSuccessStatusCode);
        Assert.Equal(["a"], Asked);
    }

    [Fact]
    public async Task A_create_goes_to_an_account_whose_dialect_can_express_it()
    {
        using var response = await CreateAsync("""{"prompt":"cat dance","duration":9}""");

        Assert.Equal("/generations/b1", response.Header("Location"));
        Assert.Equal(["b"], Asked);
    }

    [Fact]
    public async Task A_create_that_no_dialect_can_express_is_refused_and_not_sent()
    {
        using var response = await CreateAsync("""{"prompt":"cat dance","seed":7}""");

        await response.ProblemAsync(422, "unsupported_field");
        Assert.Empty(Asked);
        Assert.Empty(await JobsAsync());
    }

    [Fact]
    public async Task An_account_that_cannot_express_the_create_does_not_hide_the_refusal_of_the_one_that_can()
    {
        _gateway.With("Luma:Accounts:0:Weight", "1").With("Luma:Accounts:1:Weight", "3"); // b comes first
        _faults["b"] = HttpStatusCode.TooManyRequests;

        using var response = await CreateAsync("""{"prompt":"cat dance","duration":9}""");

        await response.ProblemAsync(503, "upstream_throttled");
        Assert.Equal(["b"], Asked);
    }

    [Fact]
    public async Task A_create_that_only_a_draining_account_can_express_is_refused_and_not_sent()
    {
        _gateway.With("Luma:Accounts:1:Draining", "true");

        using var response = await CreateAsync("""{"prompt":"cat dance","duration":9}""");

        await response.ProblemAsync(503, "account_draining");
        Assert.Empty(Asked);
    }

    [Fact]
    public async Task An_account_that_cannot_express_a_create_keeps_its_turn_and_is_no_move()
    {
        using var started = await CreateAsync(account: "a"); // starts the gateway
        using var moves = _gateway.Collect<long>("luma_gateway.passthrough.moves");
        for (var i = 0; i < 4; i++)
        {
            using var inexpressible = await CreateAsync("""{"prompt":"cat dance","duration":9}""");
            using var response = await CreateAsync();
        }

        Assert.Equal((4, 5), (Asked.Count(account => account == "a"), Asked.Count(account => account == "b"))); // the other creates are split 3 to 1
        Assert.Equal(0, moves.GetMeasurementSnapshot().Sum(move => move.Value));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("key-1")]
    public async Task A_create_is_recorded_as_a_job_and_reads_go_to_its_account(string? key)
    {
        _gateway.With("Luma:Accounts:0:Draining", "true");

        using var created = await CreateAsync(key: key);
        using var caller = _gateway.CreateCaller();
        _gateway.Clock.Advance(TimeSpan.FromMinutes(1));
        using var read = await caller.SendGetAsync("/generations/b1");

        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(["b", "b"], Asked);
        Assert.Equal(["b1 b dream-machine"], await JobsAsync());
    }

    [Fact]
    public async Task A_repeated_create_is_sent_once_and_does_not_change_the_split()
    {
        using var first = await CreateAsync(key: "key-1");
        for (var i = 0; i < 5; i++)
        {
            using var repeated = await CreateAsync(key: "key-1");
            Assert.Equal(first.Header("Location"), repeated.Header("Location"));
            Assert.Equal("true", repeated.Header("Idempotency-Replayed"));
        }

        using var second = await CreateAsync();

        Assert.Equal(2, Asked.Count());
        Assert.Equal(2, (await JobsAsync()).Count);
    }

    [Fact]
    public async Task The_header_chooses_the_account()
    {
        using var response = await CreateAsync(account: "b");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(["b"], Asked);
    }

    [Fact]
    public async Task The_account_of_the_client_takes_all_its_creates_and_its_dialect_writes_them()
    {
        _gateway.With("Access:Clients:0:Account", "b");
        for (var i = 0; i < 4; i++)
        {
            using var response = await CreateAsync();
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }

        Assert.Equal(["b", "b", "b", "b"], Asked);
        Assert.All(_gateway.Bodies, body => Assert.Contains("\"prompt\":\"cat dance\"", body, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests, "upstream_throttled")]
    [InlineData(HttpStatusCode.PaymentRequired, "upstream_out_of_credit")]
    public async Task A_create_does_not_move_away_from_the_account_of_the_client(HttpStatusCode refusal, string code)
    {
        _gateway.With("Access:Clients:0:Account", "b");
        _faults["b"] = refusal;

        using var response = await CreateAsync();

        await response.ProblemAsync((int)response.StatusCode, code);
        Assert.Equal(["b"], Asked);
    }

    [Fact]
    public async Task The_header_cannot_name_another_account_than_that_of_the_client()
    {
        _gateway.With("Access:Clients:0:Account", "b");

        using var response = await CreateAsync(account: "a");

        await response.ProblemAsync(400, "unknown_account");
        Assert.Empty(Asked);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("a")]
    public async Task A_create_for_draining_accounts_is_refused_and_not_sent(string? account)
    {
        _gateway.With("Luma:Accounts:0:Draining", "true").With("Luma:Accounts:1:Draining", account is null ? "true" : "false");

        using var response = await CreateAsync(key: "key-1", account: account);

        await response.ProblemAsync(503, "account_draining");
        Assert.Empty(Asked);
        Assert.Empty(await JobsAsync());
    }

    [Fact]
    public async Task A_delete_goes_to_the_account_of_the_generation()
    {
        _gateway.With("Luma:Accounts:0:Draining", "true");
        using var created = await CreateAsync();
        using var caller = _gateway.CreateCaller();

        using var deleted = await caller.DeleteAsync(new Uri("/generations/b1", UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        var last = _gateway.Upstream.Received.Last();
        Assert.Equal((HttpMethod.Delete, "b.test"), (last.Method, last.Address.Host));
    }

    private static string AccountOf(Uri address) => address.Host.Split('.')[0];

    private async Task<HttpResponseMessage> CreateAsync(string json = """{"prompt":"cat dance"}""", string? key = null, string? account = null)
    {
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generations") { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        if (account is not null)
        {
            request.Headers.Add("X-Luma-Account", account);
        }

        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private async Task<List<string>> JobsAsync()
    {
        using var caller = _gateway.CreateCaller();
        using var response = await caller.SendGetAsync("/jobs");
        return [.. (await response.JsonAsync()).GetProperty("jobs").EnumerateArray().Select(job => $"{job.GetProperty("id")} {job.GetProperty("account")} {job.GetProperty("dialect")}")];
    }
}
