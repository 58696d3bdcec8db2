using System.Net;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Status;

/// <summary>The data and headers of the status page. Its script is not tested here.</summary>
public sealed class StatusTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_status_data_contain_requests_cache_results_and_faults()
    {
        _gateway.With("Luma:Retries", "0").Upstream.ThenJson(Samples.Failed("g1")).ThenJson("{}", HttpStatusCode.InternalServerError);
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        foreach (var id in new[] { "g1", "g1", "g2" })
        {
            using var response = await client.SendGetAsync($"{main}generations/{id}");
        }

        var status = await StatusAsync(management, total: 3);

        Assert.Equal(1, status.GetProperty("traffic").GetProperty("failed").GetInt64());
        Assert.Equal(1, status.GetProperty("cache").GetProperty("results_by_status").GetProperty("hit").GetInt64());
        Assert.Equal(2, status.GetProperty("upstream").GetProperty("reads").GetInt64());
        Assert.Equal(JsonValueKind.Null, status.GetProperty("redis").ValueKind);
        Assert.Equal(JsonValueKind.Null, status.GetProperty("replicas").ValueKind);
        Assert.Equal("/generations/{id}", status.GetProperty("routes")[0].GetProperty("route").GetString());
        Assert.Equal("tests", status.GetProperty("clients")[0].GetProperty("name").GetString());
        Assert.Matches("^[0-9a-f]{32}$", status.GetProperty("faults")[0].GetProperty("trace_id").GetString()!);
    }

    [Fact]
    public async Task The_status_data_contain_each_upstream_account()
    {
        _gateway.WithAccounts(TestAccounts.Named("a"), TestAccounts.Named("b", "agents", draining: true))
            .With("Luma:Retries", "0").Upstream.ThenJson("{}", HttpStatusCode.PaymentRequired).ThenJson("""{"id":"g1","state":"queued"}""");
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        using (await client.SendGetAsync($"{main}generations/g1"))
        {
        }

        var upstream = (await StatusAsync(management, total: 1)).GetProperty("upstream");

        Assert.True(upstream.GetProperty("is_account_refused").GetBoolean());
        Assert.Equal(
            [("a", "relay", true, false, 1), ("b", "agents", false, true, 1)],
            upstream.GetProperty("accounts").EnumerateArray().Select(one => (
                one.GetProperty("name").GetString(), one.GetProperty("dialect").GetString(), one.GetProperty("is_account_refused").GetBoolean(),
                one.GetProperty("is_draining").GetBoolean(), one.GetProperty("reads").GetInt32())));
    }

    [Fact]
    public async Task Requests_without_a_route_have_no_route_name()
    {
        var (main, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();
        using (await client.SendGetAsync($"{main}nothing"))
        {
        }

        var status = await StatusAsync(management, total: 1);

        Assert.Equal(JsonValueKind.Null, status.GetProperty("routes")[0].GetProperty("route").ValueKind);
    }

    [Fact]
    public async Task The_content_security_policy_allows_only_the_pages_own_script()
    {
        var (_, management) = ListeningGateway.Start(_gateway);
        using var client = new HttpClient();

        using var page = await client.SendGetAsync($"{management}status");

        Assert.Equal("text/html; charset=utf-8", page.Header("Content-Type"));
        Assert.Contains("default-src 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.StartsWith("<!doctype html>", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Waits for the count: a request is counted after its response was sent.</summary>
    private static async Task<JsonElement> StatusAsync(Uri management, int total)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("Accept", "application/json");
        var status = default(JsonElement);
        await Poll.UntilAsync(async () =>
        {
            using var response = await client.SendGetAsync($"{management}status");
            status = await response.JsonAsync();
            return status.GetProperty("traffic").GetProperty("total").GetInt64() == total;
        });
        return status;
    }
}
