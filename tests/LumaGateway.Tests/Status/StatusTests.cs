using System.Net;
using System.Text.Json;
using LumaGateway.Tests.Support;

namespace LumaGateway.Tests.Status;

/// <summary>What is counted for people. What the page makes of it is tried in a browser.</summary>
public sealed class StatusTests : IDisposable
{
    private readonly Gateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task The_numbers_are_of_what_was_asked_how_it_was_answered_and_what_went_wrong()
    {
        _gateway.With("Luma:Retries", "0").Upstream.ThenJson(Samples.Failed("g1")).ThenJson("{}", HttpStatusCode.InternalServerError);
        var (main, management) = Listening.Start(_gateway);
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        foreach (var id in new[] { "g1", "g1", "g2" })
        {
            using var answer = await client.AskAsync($"{main}generations/{id}");
        }

        var numbers = await NumbersAsync(management, total: 3);

        Assert.Equal(1, numbers.GetProperty("traffic").GetProperty("failed").GetInt64());
        Assert.Equal(1, numbers.GetProperty("cache").GetProperty("answers").GetProperty("hit").GetInt64());
        Assert.Equal(2, numbers.GetProperty("upstream").GetProperty("asked").GetInt64());
        Assert.Equal(JsonValueKind.Null, numbers.GetProperty("redis").ValueKind);
        Assert.Equal("/generations/{id}", numbers.GetProperty("routes")[0].GetProperty("route").GetString());
        Assert.Equal("tests", numbers.GetProperty("clients")[0].GetProperty("name").GetString());
        Assert.Matches("^[0-9a-f]{32}$", numbers.GetProperty("faults")[0].GetProperty("trace_id").GetString()!);
    }

    [Fact]
    public async Task The_page_runs_nothing_but_its_own_script()
    {
        var (_, management) = Listening.Start(_gateway);
        using var client = new HttpClient();

        using var page = await client.AskAsync($"{management}status");

        Assert.Equal("text/html; charset=utf-8", page.Header("Content-Type"));
        Assert.Contains("default-src 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.StartsWith("<!doctype html>", await page.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A request is counted after its answer has gone out.</summary>
    private static async Task<JsonElement> NumbersAsync(Uri management, int total)
    {
        using var client = new HttpClient();
        client.DefaultRequestHeaders.Add("Accept", "application/json");
        var numbers = default(JsonElement);
        await Pump.EventuallyAsync(async () =>
        {
            using var answer = await client.AskAsync($"{management}status");
            numbers = await answer.JsonAsync();
            return numbers.GetProperty("traffic").GetProperty("total").GetInt64() == total;
        });
        return numbers;
    }
}
