using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Upstreams;

/// <summary>Reads with several accounts: the account of an id is found once and remembered, and a failing account hides nothing. Needs nothing.</summary>
public sealed class AccountReadTests : IDisposable
{
    private readonly Gateway _gateway = new Gateway().WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b", "dream-machine"), TestAccounts.Named("c", "agents"))
        .With("Luma:Retries", "0");

    private readonly Dictionary<string, HttpStatusCode> _faults = [];

    public AccountReadTests() => _gateway.Upstream.Always((request, _) =>
    {
        var account = request.RequestUri!.Host.Split('.')[0];
        var id = request.RequestUri.Segments[^1];
        return Task.FromResult(
            _faults.TryGetValue(account, out var fault) ? ScriptedUpstream.Json("{}", fault)
            : id.StartsWith(account, StringComparison.Ordinal) ? ScriptedUpstream.Json($$"""{"id":"{{id}}","state":"processing"}""")
            : ScriptedUpstream.Json("""{"detail":"not found"}""", HttpStatusCode.NotFound));
    });

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task An_unknown_id_is_looked_for_in_the_order_of_the_accounts_once()
    {
        using var caller = _gateway.CreateCaller();

        Assert.Equal(HttpStatusCode.OK, await ReadAsync(caller, "b1"));
        _gateway.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.OK, await ReadAsync(caller, "b1"));

        Assert.Equal("a b b", _gateway.Upstream.AccountsOf());
        Assert.All(_gateway.Upstream.Received, one => Assert.Equal($"Bearer {TestAccounts.TokenOf(one.Address.Host.Split('.')[0])}", one.Headers["Authorization"]));
    }

    [Fact]
    public async Task An_id_is_not_found_only_if_every_account_says_so()
    {
        using var caller = _gateway.CreateCaller();
        using var response = await caller.SendGetAsync("/generations/x1");

        await response.ProblemAsync(404, "generation_not_found");
        Assert.Equal("a b c", _gateway.Upstream.AccountsOf());
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    [InlineData("c")]
    public async Task The_fault_of_one_account_is_not_hidden_by_the_404_of_the_others(string failing)
    {
        _faults[failing] = HttpStatusCode.InternalServerError;
        using var caller = _gateway.CreateCaller();
        using var response = await caller.SendGetAsync("/generations/x1");

        await response.ProblemAsync(502, "upstream_failed");
        Assert.Equal("a b c", _gateway.Upstream.AccountsOf());
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.PaymentRequired)]
    [InlineData(HttpStatusCode.Unauthorized)]
    public async Task A_failing_account_does_not_affect_ids_of_the_others(HttpStatusCode fault)
    {
        _faults["a"] = fault;
        using var caller = _gateway.CreateCaller();

        Assert.Equal(HttpStatusCode.OK, await ReadAsync(caller, "c1"));
        for (var i = 0; i < 30; i++) // opens the circuit breaker of a
        {
            await ReadAsync(caller, $"x{i}");
        }

        Assert.Equal(HttpStatusCode.OK, await ReadAsync(caller, "b1"));
        _gateway.Clock.Advance(TimeSpan.FromSeconds(3));
        var before = _gateway.Upstream.RequestCount;
        Assert.Equal(HttpStatusCode.OK, await ReadAsync(caller, "c1"));
        Assert.Equal(before + 1, _gateway.Upstream.RequestCount);
    }

    [Fact]
    public async Task A_Retry_After_holds_the_reads_of_its_account_only()
    {
        using var caller = _gateway.CreateCaller();
        await ReadAsync(caller, "a1");
        await ReadAsync(caller, "b1");
        _gateway.Upstream.Then((_, _) =>
        {
            var throttled = ScriptedUpstream.Json("{}", HttpStatusCode.TooManyRequests);
            throttled.Headers.Add("Retry-After", "60");
            return Task.FromResult(throttled);
        });
        _gateway.Clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ReadAsync(caller, "a1"));
        Assert.Equal(HttpStatusCode.OK, await ReadAsync(caller, "b1"));
        Assert.Equal("a a b a b", _gateway.Upstream.AccountsOf());
    }

    [Fact]
    public async Task An_account_that_does_not_respond_leaves_time_for_the_others()
    {
        using var caller = _gateway.With("Luma:Deadline", "00:00:09").CreateCaller();
        _gateway.Upstream.Then(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _gateway.Clock, token);
            throw new InvalidOperationException();
        });

        var reading = ReadAsync(caller, "c1");
        await _gateway.Upstream.WaitForRequestsAsync(1);
        _gateway.Clock.Advance(TimeSpan.FromSeconds(3)); // a third of the deadline

        Assert.Equal((HttpStatusCode.OK, "a b c"), (await reading, _gateway.Upstream.AccountsOf()));
    }

    private static async Task<HttpStatusCode> ReadAsync(HttpClient caller, string id)
    {
        using var response = await caller.SendGetAsync($"/generations/{id}");
        return response.StatusCode;
    }
}
