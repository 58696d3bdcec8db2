using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace LumaGateway.SystemTests.Accounts;

/// <summary>Creates in the gateway's own format, on four accounts of three dialects through three replicas. Needs redis-server.</summary>
public sealed class CreatingTests
{
    /// <summary>A multiple of the sum of the weights for each replica.</summary>
    private const int Creates = 180;

    private static readonly IReadOnlyDictionary<string, int> Shares = new Dictionary<string, int> { ["relay-a"] = 3, ["relay-b"] = 1, ["dream"] = 1, ["agents"] = 1 };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_body_is_created_on_accounts_of_all_dialects_by_weight_and_its_generation_is_read_there()
    {
        RedisServer.Require();
        await using var system = await AccountSystem.StartAsync();
        var replicas = system.Group.Replicas;
        var created = new ConcurrentDictionary<string, string>();

        await Parallel.ForEachAsync(Enumerable.Range(0, Creates), new ParallelOptions { MaxDegreeOfParallelism = 6, CancellationToken = Cancelled }, async (i, _) =>
        {
            var key = i.ToString(CultureInfo.InvariantCulture);
            var (id, isReplayed) = await CreateAsync(replicas[i % 3], key);
            Assert.False(isReplayed);
            Assert.Equal((id, true), await CreateAsync(replicas[(i + 1) % 3], key));
            Assert.True(created.TryAdd(id, key));
            await replicas[(i + 2) % 3].ReadAsync(id);
            using var raw = await replicas[(i + 1) % 3].Client.GetAsync(new Uri($"/luma/generations/{id}", UriKind.Relative), Cancelled);
            Assert.Equal(HttpStatusCode.OK, raw.StatusCode);
        });

        var counts = new Dictionary<string, long>();
        foreach (var (account, share) in Shares)
        {
            counts[account] = await system.CreatesAsync(account);
            var expected = (double)Creates * share / Shares.Values.Sum();
            Assert.InRange(counts[account], 0.95 * expected, 1.05 * expected);
        }

        Assert.Equal(Creates, counts.Values.Sum()); // one POST for each key
        Assert.Empty(await system.WrongReadsAsync(created.Keys));
        await AssertJobsAsync(system, created.Keys);
        TestContext.Current.SendDiagnosticMessage("{0} creates: {1}", Creates, string.Join(", ", counts.Select(static count => $"{count.Key} {count.Value}")));
    }

    /// <summary>The ledger has one job for each generation, with the account that has the generation.</summary>
    private static async Task AssertJobsAsync(AccountSystem system, IEnumerable<string> ids)
    {
        var accounts = new Dictionary<string, string>();
        for (var cursor = ""; cursor is not null;)
        {
            var page = await system.Group.Replicas[0].Client.GetFromJsonAsync<JsonElement>(new Uri($"/jobs?limit=200&cursor={cursor}", UriKind.Relative), Cancelled);
            foreach (var job in page.GetProperty("jobs").EnumerateArray())
            {
                accounts.Add(job.GetProperty("id").GetString()!, job.GetProperty("account").GetString()!);
            }

            cursor = page.GetProperty("next_cursor").GetString();
        }

        Assert.Equal(ids.Order(), accounts.Keys.Order());
        foreach (var (id, account) in accounts)
        {
            using var generation = await system.Sandboxes[account].GenerationAsync(id);
            Assert.True(generation.StatusCode is HttpStatusCode.OK, $"The job of {id} has the account {account}, which does not have the generation.");
        }
    }

    private static async Task<(string Id, bool IsReplayed)> CreateAsync(GatewayProcess replica, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generations") { Content = JsonContent.Create(new { prompt = "a cat" }) };
        request.Headers.Add("Idempotency-Key", key);
        using var response = await replica.Client.SendAsync(request, Cancelled);
        Assert.True(response.StatusCode is HttpStatusCode.Created, $"The create returned {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Cancelled)}");
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        return (body.GetProperty("id").GetString()!, response.Headers.Contains("Idempotency-Replayed"));
    }
}
