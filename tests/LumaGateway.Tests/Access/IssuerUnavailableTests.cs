using System.Net;
using System.Text;
using LumaGateway.Tests.Support;
using Microsoft.IdentityModel.Tokens;

namespace LumaGateway.Tests.Access;

/// <summary>A slow or unreachable issuer delays a request by at most one bounded fetch. A request with an invalid token is not delayed.</summary>
public sealed class IssuerUnavailableTests : IAsyncLifetime
{
    private static readonly (string Name, object Value)[] Reader = [("client_id", "robot"), ("scope", "read")];

    private readonly Gateway _gateway = new();
    private readonly TaskCompletionSource _issuerReleased = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Issuer _real = null!;
    private Loopback _issuer = null!;
    private int _issuerRequests;

    public async ValueTask InitializeAsync()
    {
        _real = await Issuer.StartAsync();
        _issuer = await Loopback.StartAsync(async context =>
        {
            Interlocked.Increment(ref _issuerRequests);
            await _issuerReleased.Task;
            context.Response.StatusCode = 404;
        });
        _gateway.With("Access:Jwt:Authority", _issuer.Address).With("Access:Jwt:Audience", Issuer.Audience);
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
    }

    public async ValueTask DisposeAsync()
    {
        _issuerReleased.TrySetResult();
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
    public async Task A_token_that_is_invalid_with_any_key_is_refused_without_a_request_to_the_issuer(string kind)
    {
        var token = kind switch
        {
            "wrong algorithm" => _real.Sign(Now, credentials: new SigningCredentials(new SymmetricSecurityKey(new byte[64]), SecurityAlgorithms.HmacSha256), claims: Reader),
            "wrong audience" => _real.Sign(Now, audience: "another-service", claims: Reader),
            "expired" => _real.Sign(Now, life: TimeSpan.FromMinutes(-5), claims: Reader),
            "no expiry" => $"{Encode("""{"alg":"RS256"}""")}.{Encode($$"""{"aud":"{{Issuer.Audience}}"}""")}.{Encode("x")}",
            "no client name" => _real.Sign(Now, claims: ("scope", "read")),
            "critical header" => $"{Encode("""{"alg":"RS256","crit":["exp"]}""")}.{ValidToken().Split('.')[1]}.{Encode("x")}",
            _ => kind,
        };
        _issuerReleased.SetResult();

        using var response = await SendGetAsync(token);

        await response.ProblemAsync(401, "unauthenticated");
        Assert.Equal(0, _issuerRequests);
    }

    [Fact]
    public async Task Requests_share_one_fetch_and_its_failure_is_cached_for_a_few_seconds()
    {
        var pending = Enumerable.Range(0, 20).Select(_ => SendGetAsync(ValidToken())).ToList();
        await _gateway.PendingRequests.WaitForAsync(20);
        await Poll.UntilAsync(() => Volatile.Read(ref _issuerRequests) == 1);

        _issuerReleased.SetResult();
        foreach (var response in await Task.WhenAll(pending))
        {
            await response.ProblemAsync(503, "issuer_unavailable");
        }

        using var repeated = await SendGetAsync(ValidToken());
        await repeated.ProblemAsync(503, "issuer_unavailable");
        Assert.Equal(1, _issuerRequests);

        _gateway.Clock.Advance(TimeSpan.FromSeconds(6));
        using var later = await SendGetAsync(ValidToken());
        Assert.Equal(2, _issuerRequests);
    }

    [Fact]
    public async Task A_token_that_cannot_be_checked_gets_503_with_Retry_After()
    {
        _issuerReleased.SetResult();

        using var response = await SendGetAsync(ValidToken());

        await response.ProblemAsync(503, "issuer_unavailable");
        Assert.Equal(("5", ""), (response.Header("Retry-After"), response.Header("WWW-Authenticate")));
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011 && record.Message.Contains("IssuerUnavailable", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_disconnected_caller_does_not_cancel_the_fetch_of_the_others()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var disconnected = SendGetAsync(ValidToken(), cancellation);
        await Poll.UntilAsync(() => Volatile.Read(ref _issuerRequests) == 1);
        var other = SendGetAsync(ValidToken());
        await _gateway.PendingRequests.WaitForAsync(2);

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => disconnected);
        Assert.False(other.IsCompleted);
        _issuerReleased.SetResult();

        await (await other).ProblemAsync(503, "issuer_unavailable");
        Assert.Equal(1, _issuerRequests);
    }

    [Fact]
    public async Task A_token_over_the_size_limit_has_its_own_detail_and_reason()
    {
        _gateway.With("Access:Jwt:MaxTokenBytes", "2048");
        _issuerReleased.SetResult();

        using var response = await SendGetAsync(_real.Sign(Now, claims: [.. Reader, ("padding", new string('x', 3000))]));

        var problem = await response.ProblemAsync(401, "unauthenticated");
        Assert.Contains("2048", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Message.Contains("Access:Jwt:MaxTokenBytes", StringComparison.Ordinal));
        Assert.Contains(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011 && record.Message.Contains("TokenTooLarge", StringComparison.Ordinal));
        Assert.Equal(0, _issuerRequests);
    }

    [Fact]
    public async Task A_larger_limit_accepts_a_larger_token()
    {
        _gateway.With("Access:Jwt:Authority", _real.Address).With("Access:Jwt:MaxTokenBytes", "20000");

        using var response = await SendGetAsync(_real.Sign(Now, claims: [.. Reader, ("padding", new string('x', 9000))]));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private DateTimeOffset Now => _gateway.Clock.GetUtcNow();

    private string ValidToken() => _real.Sign(Now, claims: Reader);

    private static string Encode(string text) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(text));

    private async Task<HttpResponseMessage> SendGetAsync(string token, CancellationTokenSource? cancellation = null)
    {
        using var client = _gateway.CreateCallerWithoutKey();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        return await client.GetAsync("/generations/g1", cancellation?.Token ?? TestContext.Current.CancellationToken);
    }
}
