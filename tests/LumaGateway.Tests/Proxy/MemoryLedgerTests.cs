using System.Net;
using System.Text;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Proxy;

/// <summary>The ledger in memory limits each client to a share.</summary>
public sealed class MemoryLedgerTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public MemoryLedgerTests() => _raw.Gateway.With("Access:Clients:1:Name", "second").With("Access:Clients:1:KeySha256", Gateway.Digest("other-key"))
        .With("Access:Clients:1:Rights:0", "raw").With("Access:Clients:1:Rights:1", "create");

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task A_client_that_fills_its_share_does_not_block_others()
    {
        var large = $$"""{"id":"g1","state":"queued","note":"{{new string('x', 900_000)}}"}""";
        _raw.Upstream.AlwaysJson(large, HttpStatusCode.Created);
        using var full = _raw.CreateCaller();
        using var other = _raw.Gateway.CreateCallerWithoutKey();
        other.DefaultRequestHeaders.Add("X-Api-Key", "other-key");
        var refused = await FillAsync(full, 100);

        using var others = await PostAsync(other, "other-1");

        Assert.InRange(refused, 1, 99);
        Assert.Equal(HttpStatusCode.Created, others.StatusCode);
    }

    [Fact]
    public async Task The_problem_names_the_full_share_and_the_settings_that_help()
    {
        _raw.Upstream.AlwaysJson($$"""{"id":"g1","state":"queued","note":"{{new string('x', 900_000)}}"}""", HttpStatusCode.Created);
        using var full = _raw.CreateCaller();
        await FillAsync(full, 20);

        using var refused = await PostAsync(full, "one-more");

        var problem = await refused.ProblemAsync(503, "idempotency_unavailable");
        var detail = problem.GetProperty("detail").GetString()!;
        Assert.StartsWith("This client's share of the memory for idempotency records (16 MiB) is full, so nothing was sent to the upstream.", detail, StringComparison.Ordinal);
        Assert.All(["Passthrough:IdempotencyLifetime", "ConnectionStrings:Redis"], key => Assert.Contains(key, detail, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.UnprocessableEntity)]
    public async Task The_response_to_an_invalid_create_is_kept_for_ten_minutes(HttpStatusCode invalid)
    {
        _raw.Upstream.ThenJson("""{"detail":"wrong"}""", invalid).AlwaysJson("""{"id":"g1"}""", HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();

        using var first = await PostAsync(caller, "k");
        using var again = await PostAsync(caller, "k");
        _raw.Gateway.Clock.Advance(TimeSpan.FromMinutes(11));
        using var later = await PostAsync(caller, "k");
        _raw.Gateway.Clock.Advance(TimeSpan.FromHours(23));
        using var replayed = await PostAsync(caller, "k");

        Assert.Equal([invalid, invalid, HttpStatusCode.Created, HttpStatusCode.Created], new[] { first, again, later, replayed }.Select(response => response.StatusCode));
        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    /// <summary>Sends creates with different keys and returns how many of them got a 503.</summary>
    private static async Task<int> FillAsync(HttpClient caller, int creates)
    {
        var refused = 0;
        for (var i = 0; i < creates; i++)
        {
            using var response = await PostAsync(caller, $"full-{i}");
            refused += response.StatusCode is HttpStatusCode.ServiceUnavailable ? 1 : 0;
        }

        return refused;
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient caller, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", key);
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
