extern alias client;

using System.Net;
using client::LumaGateway.Client;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using ClientJobState = client::LumaGateway.Contracts.JobState;
using JobFilter = client::LumaGateway.Client.JobFilter;
using static LumaGateway.Tests.TypedClient.GatewayResponses;

namespace LumaGateway.Tests.TypedClient;

/// <summary>The list of jobs of the .NET client, against the gateway in one process and over scripted responses.</summary>
[Collection(RunsAlone.Name)]
public sealed class JobTests : IDisposable
{
    private static readonly CancellationToken Cancelled = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Noon = new(2026, 4, 8, 12, 0, 0, TimeSpan.Zero);

    private readonly Gateway _gateway = new Gateway().With("Access:Clients:0:Rights:6", "read-all");

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task All_pages_are_listed_newest_first_with_every_member()
    {
        for (var i = 0; i < 7; i++)
        {
            await AddAsync($"g{i}", Noon.AddMinutes(i), JobState.Queued);
        }

        await AddAsync("create/1", Noon.AddMinutes(7), JobState.Unknown, model: null);
        using var tested = TestedClient.Of(_gateway);

        var jobs = await ListAsync(tested.Client, new JobFilter { PageSize = 3 });

        Assert.Equal([null, "g6", "g5", "g4", "g3", "g2", "g1", "g0"], jobs.Select(job => job.Id));
        Assert.Equal((null, ClientJobState.Unknown), (jobs[0].Model, jobs[0].State));
        Assert.Equal(("main", "relay", "ray-2", Noon, ClientJobState.Queued), (jobs[^1].Account, jobs[^1].Dialect, jobs[^1].Model, jobs[^1].CreatedAt, jobs[^1].State));
    }

    [Fact]
    public async Task Each_property_of_a_filter_selects_jobs()
    {
        await AddAsync("g0", Noon, JobState.Queued);
        await AddAsync("g1", Noon.AddMinutes(1), JobState.Completed, "a model & more");
        await AddAsync("g2", Noon.AddMinutes(2), JobState.Completed, group: "team b");
        using var tested = TestedClient.Of(_gateway);
        var offset = TimeSpan.FromHours(5.5);

        Assert.Equal("g2 g1 g0", await IdsAsync(new JobFilter()));
        Assert.Equal("g2 g1", await IdsAsync(new JobFilter { State = ClientJobState.Completed }));
        Assert.Equal("g1", await IdsAsync(new JobFilter { Model = "a model & more" }));
        Assert.Equal("g2 g1", await IdsAsync(new JobFilter { From = Noon.AddMinutes(1).ToOffset(offset) }));
        Assert.Equal("g1 g0", await IdsAsync(new JobFilter { To = Noon.AddMinutes(1).ToOffset(-offset) }));
        Assert.Equal("g2", await IdsAsync(new JobFilter { Group = "team b" }));

        async Task<string> IdsAsync(JobFilter filter) => string.Join(' ', (await ListAsync(tested.Client, filter)).Select(job => job.Id));
    }

    [Fact]
    public async Task One_page_has_the_cursor_of_the_next_and_another_cursor_is_refused()
    {
        await AddAsync("g0", Noon, JobState.Queued);
        await AddAsync("g1", Noon.AddMinutes(1), JobState.Queued);
        using var tested = TestedClient.Of(_gateway);
        var filter = new JobFilter { PageSize = 1 };

        var first = await tested.Client.GetJobPageAsync(filter, null, Cancelled);
        var second = await tested.Client.GetJobPageAsync(filter, first.NextCursor, Cancelled);
        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.GetJobPageAsync(filter, "a&b", Cancelled));

        Assert.Equal(["g1", "g0"], first.Jobs.Concat(second.Jobs).Select(job => job.Id));
        Assert.Equal("invalid_request", fault.Code);
    }

    [Fact]
    public async Task A_list_repeats_only_the_page_that_failed_and_continues_over_an_empty_page()
    {
        using var scripted = new ScriptedUpstream();
        scripted.ThenJson("""{"jobs":[{"id":"g2","account":"main","dialect":"relay","model":null,"created_at":"2026-04-08T12:00:00Z","state":"queued"}],"next_cursor":"a b"}""")
            .Then((_, _) => Task.FromResult(ProblemOf(503, "ledger_unavailable", retryAfter: 1)))
            .ThenJson("""{"jobs":[],"next_cursor":"c"}""")
            .ThenJson("""{"jobs":[{"id":"g1","account":"main","dialect":"relay","model":null,"created_at":"2026-04-08T12:00:00Z","state":"failed"}],"next_cursor":null}""");
        using var tested = new TestedClient(scripted, _gateway.Clock);

        var jobs = await _gateway.Clock.UntilAsync(ListAsync(tested.Client, new JobFilter { State = ClientJobState.Queued, PageSize = 200 }));

        Assert.Equal(["g2", "g1"], jobs.Select(job => job.Id));
        const string Filter = "/jobs?state=queued&limit=200";
        Assert.Equal([Filter, Filter + "&cursor=a%20b", Filter + "&cursor=a%20b", Filter + "&cursor=c"], scripted.Received.Select(request => request.Address.PathAndQuery));
    }

    [Fact]
    public async Task The_next_page_is_read_only_when_the_caller_gets_to_it()
    {
        using var scripted = new ScriptedUpstream().ThenJson("""{"jobs":[{"id":"g1","account":"main","dialect":"relay","model":null,"created_at":"2026-04-08T12:00:00Z","state":"queued"}],"next_cursor":"c"}""");
        using var tested = new TestedClient(scripted, _gateway.Clock);

        await foreach (var _ in tested.Client.ListJobsAsync(cancellationToken: Cancelled))
        {
            break;
        }

        Assert.Equal("/jobs", Assert.Single(scripted.Received).Address.PathAndQuery);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"jobs":[{"id":"g1","account":"main","dialect":"relay","model":null,"created_at":"2026-04-08T12:00:00Z","state":"paused"}],"next_cursor":null}""")]
    public async Task A_body_of_another_shape_is_an_unexpected_response(string body)
    {
        using var scripted = new ScriptedUpstream().AlwaysJson(body);
        using var tested = new TestedClient(scripted, _gateway.Clock);

        var fault = await Assert.ThrowsAsync<LumaGatewayException>(() => tested.Client.GetJobPageAsync(cancellationToken: Cancelled));

        Assert.Equal((LumaGatewayException.Unexpected, HttpStatusCode.OK), (fault.Code, fault.Status));
    }

    [Fact]
    public async Task A_filter_out_of_range_is_never_sent()
    {
        using var scripted = new ScriptedUpstream();
        using var tested = new TestedClient(scripted, _gateway.Clock);

        foreach (var filter in new[] { new JobFilter { PageSize = 0 }, new JobFilter { PageSize = 201 }, new JobFilter { State = (ClientJobState)9 } })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => tested.Client.GetJobPageAsync(filter, null, Cancelled));
            await Assert.ThrowsAsync<ArgumentException>(() => ListAsync(tested.Client, filter));
        }

        Assert.Equal(0, scripted.RequestCount);
    }

    private static async Task<List<client::LumaGateway.Contracts.JobSummary>> ListAsync(LumaGatewayClient client, JobFilter filter)
    {
        var jobs = new List<client::LumaGateway.Contracts.JobSummary>();
        await foreach (var job in client.ListJobsAsync(filter, Cancelled))
        {
            jobs.Add(job);
        }

        return jobs;
    }

    private Task AddAsync(string key, DateTimeOffset at, JobState state, string? model = "ray-2", string group = "tests") =>
        _gateway.Services.GetRequiredService<IJobLedger>().ApplyAsync(JobChange.Begin(new Job(key, "main", "relay", group, group, model, at, null, state)));
}
