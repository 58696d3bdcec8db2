using System.Globalization;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Jobs;

/// <summary><c>GET /jobs</c>, and the states in it. Needs nothing.</summary>
public sealed class JobListTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    private readonly Gateway _gateway = new Gateway()
        .With("Access:Clients:0:Group", "team-a")
        .With("Access:Clients:1:Name", "admin")
        .With("Access:Clients:1:KeySha256", Gateway.Digest("admin-key"))
        .With("Access:Clients:1:Rights:0", "read")
        .With("Access:Clients:1:Rights:1", "read-all");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task A_client_lists_the_jobs_of_its_group_newest_first()
    {
        await AddAsync("a1", Noon, "team-a", JobState.Queued);
        await AddAsync("b1", Noon.AddMinutes(1), "team-b", JobState.Queued);
        await AddAsync("create/1", Noon.AddMinutes(2), "team-a", JobState.Unknown);
        using var caller = _gateway.CreateCaller();

        var body = await caller.GetStringAsync(new Uri("/jobs", UriKind.Relative), Cancelled);

        Assert.Equal(
            """{"jobs":[{"id":null,"account":"main","dialect":"relay","model":"ray-2","created_at":"2026-04-08T12:02:00Z","state":"unknown"},{"id":"a1","account":"main","dialect":"relay","model":"ray-2","created_at":"2026-04-08T12:00:00Z","state":"queued"}],"next_cursor":null}""",
            body);
    }

    [Fact]
    public async Task HEAD_has_the_headers_of_GET()
    {
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Head, "/jobs");

        using var response = await caller.SendAsync(request, Cancelled);

        Assert.Equal((System.Net.HttpStatusCode.OK, "application/json; charset=utf-8"), (response.StatusCode, response.Content.Headers.ContentType?.ToString()));
    }

    [Fact]
    public async Task Pages_contain_every_job_once_also_those_of_one_millisecond()
    {
        for (var i = 0; i < 25; i++)
        {
            await AddAsync($"g{i:00}", Noon.AddMilliseconds(i / 5), "team-a", JobState.Queued);
        }

        var ids = new List<string>();
        for (var cursor = ""; cursor is not null;)
        {
            var (page, next) = await ListAsync($"limit=4&cursor={cursor}");
            ids.AddRange(page);
            cursor = next;
        }

        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"g{24 - i:00}"), ids);
    }

    [Theory]
    [InlineData("state=completed", "g2 g1")]
    [InlineData("model=ray-2", "g3 g2 g0")]
    [InlineData("from=2026-04-08T12:02:00Z", "g3 g2")]
    [InlineData("to=2026-04-08T12:01:00Z", "g1 g0")]
    [InlineData("from=2026-04-08T12:01:00Z&to=2026-04-08T12:02:00Z&state=completed&model=other", "g1")]
    [InlineData("from=2026-04-08T14:02:00%2B02:00", "g3 g2")]
    [InlineData("from=2026-04-08", "g3 g2 g1 g0")]
    [InlineData("group=team-a", "g3 g2 g1 g0")]
    [InlineData("state=failed", "")]
    public async Task Filters_select_jobs(string query, string ids)
    {
        await AddAsync("g0", Noon, "team-a", JobState.Queued);
        await AddAsync("g1", Noon.AddMinutes(1), "team-a", JobState.Completed, "other");
        await AddAsync("g2", Noon.AddMinutes(2), "team-a", JobState.Completed);
        await AddAsync("g3", Noon.AddMinutes(3), "team-a", JobState.Processing);

        Assert.Equal(ids, string.Join(' ', (await ListAsync(query)).Ids));
    }

    [Theory]
    [InlineData("state=done")]
    [InlineData("from=yesterday")]
    [InlineData("from=12:00")]
    [InlineData("from=8%20April%202026")]
    [InlineData("to=04/08/2026")]
    [InlineData("to=2026-04-08T12:00:00+01:00")] // the query has a space there
    [InlineData("to=1")]
    [InlineData("cursor=%20")]
    [InlineData("cursor=bm90IGEgY3Vyc29y")]
    [InlineData("limit=0")]
    [InlineData("limit=201")]
    [InlineData("limit=-1")]
    public async Task An_invalid_query_is_refused(string query)
    {
        using var caller = _gateway.CreateCaller();

        using var response = await caller.SendGetAsync($"/jobs?{query}");

        await response.ProblemAsync(400, "invalid_request");
    }

    [Fact]
    public async Task The_permission_read_all_shows_the_jobs_of_all_groups_and_of_one()
    {
        await AddAsync("a1", Noon, "team-a", JobState.Queued);
        await AddAsync("b1", Noon.AddMinutes(1), "team-b", JobState.Queued);
        using var caller = _gateway.CreateCaller();

        Assert.Equal(["b1", "a1"], (await ListAsync("", "admin-key")).Ids);
        Assert.Equal(["b1"], (await ListAsync("group=team-b", "admin-key")).Ids);
        using var refused = await caller.SendGetAsync("/jobs?group=team-b");
        await refused.ProblemAsync(403, "forbidden");
    }

    [Fact]
    public async Task The_refusal_of_another_group_is_audited_and_counted()
    {
        using var caller = _gateway.CreateCaller();
        using var counted = _gateway.Collect<long>("luma_gateway.access.refused");

        using var refused = await caller.SendGetAsync("/jobs?group=team-b");

        await refused.ProblemAsync(403, "forbidden");
        Assert.Contains("tests", Assert.Single(_gateway.Logs.GetSnapshot(), record => record.Id.Id == 1011).Message, StringComparison.Ordinal);
        Assert.Equal("tests", Assert.Single(counted.GetMeasurementSnapshot(), measurement => measurement.Value == 1).Tags["luma_gateway.client.name"]);
    }

    [Fact]
    public async Task A_final_state_that_the_upstream_returns_is_recorded()
    {
        await AddAsync("g1", Noon, "team-a", JobState.Queued, model: null);
        _gateway.Upstream.AlwaysJson(Samples.Failed("g1"));
        using var caller = _gateway.CreateCaller();

        using var read = await caller.SendGetAsync("/generations/g1");

        await Eventually.TrueAsync(() => Ledger.FindAsync(GenerationId.Parse("g1", null), Cancelled).AsTask().GetAwaiter().GetResult()!.State is JobState.Failed);
        Assert.Equal(["g1"], (await ListAsync("state=failed")).Ids);
    }

    [Fact]
    public async Task A_job_that_a_read_shows_as_processing_is_listed_as_processing()
    {
        await AddAsync("g1", Noon, "team-a", JobState.Queued);
        _gateway.Upstream.AlwaysJson(Samples.Interim("g1"));
        using var caller = _gateway.CreateCaller();

        using var read = await caller.SendGetAsync("/generations/g1");

        await Eventually.TrueAsync(() => Ledger.FindAsync(GenerationId.Parse("g1", null), Cancelled).AsTask().GetAwaiter().GetResult()!.State is JobState.Processing);
        Assert.Equal(["g1"], (await ListAsync("state=processing")).Ids);
    }

    private IJobLedger Ledger => _gateway.Services.GetRequiredService<IJobLedger>();

    private Task AddAsync(string key, DateTimeOffset at, string group, JobState state, string? model = "ray-2") =>
        Ledger.ApplyAsync(JobChange.Begin(new Job(key, "main", "relay", group, group, model, at, null, state)));

    private async Task<(List<string> Ids, string? Next)> ListAsync(string query, string key = Gateway.Key)
    {
        using var caller = _gateway.CreateCallerWithoutKey();
        caller.DefaultRequestHeaders.Add("X-Api-Key", key);
        using var body = JsonDocument.Parse(await caller.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"/jobs?{query}"), UriKind.Relative), Cancelled));
        return (
            [.. body.RootElement.GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("id").GetString()!)],
            body.RootElement.GetProperty("next_cursor").GetString());
    }
}
