using System.Net;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Hosting;

/// <summary>Readiness with several accounts, one of which fails. Needs nothing.</summary>
public sealed class AccountHealthTests : IAsyncDisposable
{
    private readonly Gateway _gateway = new Gateway().With("Luma:Retries", "0").WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b"));

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Theory]
    [InlineData(HttpStatusCode.PaymentRequired, 1)]
    [InlineData(HttpStatusCode.Unauthorized, 1)]
    [InlineData(HttpStatusCode.BadGateway, 10)]
    public async Task Readiness_names_the_account_that_fails_and_generations_of_the_other_are_read(HttpStatusCode failure, int calls)
    {
        _gateway.Upstream.Always((request, _) => Task.FromResult(request.RequestUri!.Host is "b.test"
            ? ScriptedUpstream.Json("{}", failure)
            : request.RequestUri.AbsolutePath.EndsWith("/g1", StringComparison.Ordinal) ? ScriptedUpstream.Json(Samples.Failed("g1")) : ScriptedUpstream.Json("{}", HttpStatusCode.NotFound)));
        using var caller = _gateway.CreateCaller();
        using var before = await caller.SendGetAsync("/health/ready");
        for (var i = 0; i < calls; i++)
        {
            using var unknown = await caller.SendGetAsync($"/generations/unknown{i}"); // both accounts are asked
        }

        using var read = await caller.SendGetAsync("/generations/g1");
        using var health = await caller.SendGetAsync("/health/ready");

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal("""{"upstream":"healthy","upstream:a":"healthy","upstream:b":"healthy","redis":"healthy","ledger":"healthy","shutdown":"healthy"}""", await ChecksAsync(before));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Equal("""{"upstream":"degraded","upstream:a":"healthy","upstream:b":"degraded","redis":"healthy","ledger":"healthy","shutdown":"healthy"}""", await ChecksAsync(health));
    }

    private static async Task<string> ChecksAsync(HttpResponseMessage response) => (await response.JsonAsync()).GetProperty("checks").GetRawText();
}
