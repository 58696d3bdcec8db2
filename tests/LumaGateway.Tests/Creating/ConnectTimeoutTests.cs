using System.Net;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Creating;

/// <summary>An upstream whose connection is not established within <c>Luma:AttemptTimeout</c>. Nothing was sent then. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class ConnectTimeoutTests : IDisposable
{
    private readonly Gateway _gateway = new();
    private readonly ScriptedUpstream _upstream = new();

    /// <summary>The upstream does not read the request, and throws what SocketsHttpHandler throws.</summary>
    public ConnectTimeoutTests()
    {
        _gateway.With(services => services.AddHttpClient(UpstreamAccount.HttpClientName).ConfigurePrimaryHttpMessageHandler(() => _upstream)).With("Luma:Dialect", "dream-machine");
        _upstream.ThenThrow(new TaskCanceledException("The operation was canceled.", new TimeoutException("A connection could not be established within the configured ConnectTimeout.")));
    }

    public void Dispose()
    {
        _gateway.Dispose();
        _upstream.Dispose();
    }

    [Fact]
    public async Task A_delete_is_a_504()
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.DeleteAsync(new Uri("/generations/g1", UriKind.Relative), TestContext.Current.CancellationToken);

        await response.ProblemAsync(504, "upstream_timed_out");
    }

    [Theory]
    [InlineData("key")]
    [InlineData(null)]
    public async Task A_create_is_a_504_and_can_be_repeated(string? key)
    {
        _upstream.ThenJson("""{"id":"g1","state":"queued"}""", HttpStatusCode.Created);

        using var first = await CreateAsync(key);
        using var second = await CreateAsync(key);

        await first.ProblemAsync(504, "upstream_timed_out");
        Assert.Equal("", first.Header("x-should-retry"));
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
    }

    [Fact]
    public async Task A_create_without_a_key_goes_to_the_next_account()
    {
        _gateway.With("Luma:Dialect", null).WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b"));
        _upstream.ThenJson("""{"id":"g1","state":"queued"}""", HttpStatusCode.Created);

        using var response = await CreateAsync(null);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(2, _upstream.RequestCount);
    }

    [Fact]
    public async Task A_create_whose_time_is_over_does_not_pause_the_accounts_that_it_was_not_sent_to()
    {
        string[] names = ["a", "b", "c"];
        _gateway.With("Luma:Dialect", null).With("Passthrough:CreateTimeout", "00:00:05").WithAccounts([.. names.Select(name => TestAccounts.Named(name))]);
        _upstream.Then(async (_, token) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
            return null!;
        });

        using var response = await _gateway.Clock.UntilAsync(CreateAsync("key"));

        await response.ProblemAsync(504, "upstream_timed_out");
        Assert.Equal("a b", _upstream.AccountsOf());
        Assert.True(_gateway.Services.GetRequiredService<UpstreamAccounts>().Find("c")!.AcceptsCreates);
    }

    [Fact]
    public async Task A_read_is_retried()
    {
        _upstream.ThenJson("""{"id":"g1","state":"failed"}""");
        using var caller = _gateway.CreateCaller();

        using var response = await _gateway.Clock.UntilAsync(caller.SendGetAsync("/generations/g1"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private Task<HttpResponseMessage> CreateAsync(string? key) =>
        CreateTests.SendCreateAsync(_gateway, """{"prompt":"cat dance"}""", key is null ? [] : [("Idempotency-Key", key)]);
}
