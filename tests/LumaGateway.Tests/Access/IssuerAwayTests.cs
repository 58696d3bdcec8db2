using System.Net;
using System.Text;
using LumaGateway.Tests.Support;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Tests.Access;

/// <summary>An issuer that is slow or away costs nobody more than one bounded wait, and strangers nothing at all.</summary>
public sealed class IssuerAwayTests : IAsyncLifetime
{
    private static readonly (string Name, object Value)[] Reader = [("client_id", "robot"), ("scope", "read")];

    private readonly Gateway _gateway = new();
    private readonly TaskCompletionSource _answers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Issuer _real = null!;
    private Loopback _issuer = null!;
    private int _asked;

    public async ValueTask InitializeAsync()
    {
        _real = await Issuer.StartAsync();
        _issuer = await Loopback.StartAsync(async context =>
        {
            Interlocked.Increment(ref _asked);
            await _answers.Task;
            context.Response.StatusCode = 404;
        });
        _gateway.With("Access:Jwt:Authority", _issuer.Address).With("Access:Jwt:Audience", Issuer.Audience);
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
    }

    public async ValueTask DisposeAsync()
    {
        _answers.TrySetResult();
        await _gateway.DisposeAsync();
        await _issuer.DisposeAsync();
        await _real.DisposeAsync();
    }

    [Theory]
    [InlineData("a.b.c")]
    [InlineData("..")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.")]
    [InlineData("wrong algorithm")]
    [InlineData("wrong audience")]
    [InlineData("expired")]
    [InlineData("no expiry")]
    [InlineData("no client name")]
    [InlineData("critical header")]
    public async Task A_token_that_cannot_be_good_is_refused_before_the_issuer_is_asked(string kind)
    {
        var token = kind switch
        {
            "wrong algorithm" => _real.Sign(Now, credentials: new SigningCredentials(new SymmetricSecurityKey(new byte[64]), SecurityAlgorithms.HmacSha256), claims: Reader),
            "wrong audience" => _real.Sign(Now, audience: "another-service", claims: Reader),
            "expired" => _real.Sign(Now, life: TimeSpan.FromMinutes(-5), claims: Reader),
            "no expiry" => $"{Encode("""{"alg":"RS256"}""")}.{Encode($$"""{"aud":"{{Issuer.Audience}}"}""")}.{Encode("x")}",
            "no client name" => _real.Sign(Now, claims: ("scope", "read")),
            "critical header" => $"{Encode("""{"alg":"RS256","crit":["exp"]}""")}.{Good().Split('.')[1]}.{Encode("x")}",
            _ => kind,
        };
        _answers.SetResult();

        using var response = await AskAsync(token);

        await response.ProblemAsync(401, "unauthenticated");
        Assert.Equal(0, _asked);
    }

    [Fact]
    public async Task Callers_share_one_fetch_and_its_failure_is_remembered_for_a_few_seconds()
    {
        var waiting = Enumerable.Range(0, 20).Select(_ => AskAsync(Good())).ToList();
        await _gateway.Arrivals.WaitingAsync(20);
        await Pump.EventuallyAsync(() => Volatile.Read(ref _asked) == 1);

        _answers.SetResult();
        foreach (var response in await Task.WhenAll(waiting))
        {
            await response.ProblemAsync(503, "issuer_unavailable");
        }

        using var soon = await AskAsync(Good());
        await soon.ProblemAsync(503, "issuer_unavailable");
        Assert.Equal(1, _asked);

        _gateway.Clock.Advance(TimeSpan.FromSeconds(6));
        using var later = await AskAsync(Good());
        Assert.Equal(2, _asked);
    }

    [Fact]
    public async Task A_token_that_cannot_be_checked_is_no_fault_of_its_caller_who_is_told_when_to_come_back()
    {
        _answers.SetResult();

        using var response = await AskAsync(Good());

        await response.ProblemAsync(503, "issuer_unavailable");
        Assert.Equal(("5", ""), (response.Header("Retry-After"), response.Header("WWW-Authenticate")));
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011 && record.Message.Contains("IssuerUnavailable", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_caller_that_hangs_up_waits_no_longer_and_the_fetch_goes_on_for_the_others()
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var leaver = AskAsync(Good(), leaving);
        await Pump.EventuallyAsync(() => Volatile.Read(ref _asked) == 1);
        var stayer = AskAsync(Good());
        await _gateway.Arrivals.WaitingAsync(2);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaver);
        Assert.False(stayer.IsCompleted);
        _answers.SetResult();

        await (await stayer).ProblemAsync(503, "issuer_unavailable");
        Assert.Equal(1, _asked);
    }

    [Fact]
    public async Task A_token_over_the_size_limit_is_answered_and_logged_as_that()
    {
        _gateway.With("Access:Jwt:MaxTokenBytes", "2048");
        _answers.SetResult();

        using var response = await AskAsync(_real.Sign(Now, claims: [.. Reader, ("padding", new string('x', 3000))]));

        var problem = await response.ProblemAsync(401, "unauthenticated");
        Assert.Contains("2048", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Message.Contains("Access:Jwt:MaxTokenBytes", StringComparison.Ordinal));
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011 && record.Message.Contains("TokenTooLarge", StringComparison.Ordinal));
        Assert.Equal(0, _asked);
    }

    [Fact]
    public async Task A_larger_limit_lets_a_larger_token_in()
    {
        _gateway.With("Access:Jwt:Authority", _real.Address).With("Access:Jwt:MaxTokenBytes", "20000");

        using var response = await AskAsync(_real.Sign(Now, claims: [.. Reader, ("padding", new string('x', 9000))]));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private DateTimeOffset Now => _gateway.Clock.GetUtcNow();

    private string Good() => _real.Sign(Now, claims: Reader);

    private static string Encode(string text) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(text));

    private async Task<HttpResponseMessage> AskAsync(string token, CancellationTokenSource? leaving = null)
    {
        using var client = _gateway.CreateStranger();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        return await client.GetAsync("/generations/g1", leaving?.Token ?? TestContext.Current.CancellationToken);
    }
}
