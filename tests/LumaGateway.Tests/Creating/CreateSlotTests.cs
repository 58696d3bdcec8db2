using System.Collections.Concurrent;
using System.Net;
using System.Text;
using LumaGateway.Jobs;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Creating;

/// <summary>Creates at <c>POST /generations</c> through an account with one slot. Needs nothing.</summary>
[Collection(RunsAlone.Name)]
public sealed class CreateSlotTests : IDisposable
{
    private const string Body = """{"prompt":"cat dance"}""";

    private readonly Gateway _gateway = new();
    private readonly ConcurrentDictionary<string, bool> _finished = new();
    private int _count;

    public CreateSlotTests()
    {
        _gateway.With("Luma:MaxConcurrentJobs", "1");
        _gateway.Upstream.Always((request, _) =>
        {
            if (request.Method == HttpMethod.Post)
            {
                return Task.FromResult(ScriptedUpstream.Json($$"""{"id":"g{{Interlocked.Increment(ref _count)}}","state":"pending"}""", HttpStatusCode.Created));
            }

            var id = request.RequestUri!.Segments[^1];
            return Task.FromResult(ScriptedUpstream.Json(_finished.ContainsKey(id) ? Samples.Failed(id) : Samples.Interim(id)));
        });
    }

    public static TheoryData<string?> Keys => new("key", null);

    private int Sent => _gateway.Upstream.Received.Count(request => request.Method == HttpMethod.Post);

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_that_waits_too_long_is_refused_and_was_never_sent(string? key)
    {
        using var first = await SendAsync("first");

        using var refused = await _gateway.Clock.UntilAsync(SendAsync(key));

        await refused.ProblemAsync(503, "account_saturated");
        Assert.Equal("30", refused.Header("Retry-After"));
        Assert.Equal(1, Sent);
        _finished["g1"] = true;
        using var repeated = await _gateway.Clock.UntilAsync(SendAsync(key)); // the key is free
        Assert.Equal("/generations/g2", repeated.Header("Location"));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_waits_until_the_job_before_it_is_final(string? key)
    {
        using var first = await SendAsync("first");
        using var waiting = _gateway.Collect<long>("luma_gateway.jobs.waiting");
        var second = SendAsync(key);
        await Eventually.TrueAsync(() => waiting.GetMeasurementSnapshot().Sum(one => one.Value) == 1);
        Assert.Equal(1, Sent);

        _finished["g1"] = true; // while a create waits, the gateway polls the job that holds the slot

        using var response = await _gateway.Clock.UntilAsync(second);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(2, Sent);
    }

    [Theory]
    [InlineData("key", null)]
    [InlineData(null, null)]
    [InlineData("key", "wait=30")]
    [InlineData(null, "wait=30")]
    public async Task A_caller_that_leaves_a_waiting_create_cancels_it_and_nothing_is_sent(string? key, string? prefer)
    {
        using var first = await SendAsync("first");
        using var leaving = new CancellationTokenSource();
        using var waiting = _gateway.Collect<long>("luma_gateway.jobs.waiting");
        var second = SendAsync(key, Body, prefer, leaving.Token);
        await Eventually.TrueAsync(() => waiting.GetMeasurementSnapshot().Sum(one => one.Value) == 1);

        var now = _gateway.Clock.GetUtcNow();
        await leaving.CancelAsync();

        await _gateway.Clock.UntilAsync(() => second.IsCompleted && waiting.GetMeasurementSnapshot().Sum(one => one.Value) == 0);
        Assert.Equal((now, 1), (_gateway.Clock.GetUtcNow(), Sent));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        _finished["g1"] = true;
        using var repeated = await _gateway.Clock.UntilAsync(SendAsync(key, """{"prompt":"another"}""")); // the key is free, also for another body
        Assert.Equal("/generations/g2", repeated.Header("Location"));
        Assert.Equal("", repeated.Header("Idempotency-Replayed"));
        Assert.Equal(["g1", "g2"], await JobsAsync());
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task An_invalid_body_is_refused_at_once_without_a_slot(string? key)
    {
        using var first = await SendAsync("first");

        using var refused = await SendAtOnceAsync(key, """{"promt":"cat dance"}""");

        await refused.ProblemAsync(400, "invalid_request");
        Assert.Equal(["g1"], await JobsAsync());
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_that_the_dialect_cannot_express_is_refused_at_once_without_a_slot(string? key)
    {
        using var first = await SendAsync("first");

        using var refused = await SendAtOnceAsync(key, """{"prompt":"cat dance","seed":7}""");

        await refused.ProblemAsync(422, "unsupported_field");
        Assert.Equal(["g1"], await JobsAsync());
    }

    [Fact]
    public async Task A_caller_that_leaves_before_its_create_is_sent_leaves_no_job_and_no_slot()
    {
        _gateway.With("Limits:Upstream:Concurrency", "1");
        var held = new TaskCompletionSource<HttpResponseMessage>();
        _gateway.Upstream.Then((_, _) => held.Task);
        using var caller = _gateway.CreateCaller();
        var read = caller.SendGetAsync("/generations/held"); // has the only connection
        await _gateway.Upstream.WaitForRequestsAsync(1);
        using var leaving = new CancellationTokenSource();
        var create = SendAsync(null, cancellationToken: leaving.Token);
        var limiter = _gateway.Services.GetRequiredService<UpstreamAccounts>().First.Limiter;
        await Eventually.TrueAsync(() => limiter.Queued == 1);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => create);
        await Eventually.TrueAsync(() => limiter.Queued == 0);
        await Poll.UntilAsync(async () => (await JobsAsync()).Count == 0);
        Assert.NotNull((await _gateway.Services.GetRequiredService<JobSlots>().TryAcquireAsync(UpstreamAccount.Unnamed, TimeSpan.FromMinutes(1))).Slot);
        held.SetResult(ScriptedUpstream.Json(Samples.Interim("held")));
        using var response = await read;
        Assert.Equal(0, Sent);
    }

    [Theory]
    [InlineData("""{"prompt":"cat dance","seed":7}""", 422)]
    [InlineData("""{"prompt":""}""", 400)]
    public async Task A_create_that_is_not_sent_gives_its_slot_back(string body, int status)
    {
        using var refused = await SendAsync("refused", body);

        using var next = await SendAsync("next");

        Assert.Equal((status, HttpStatusCode.Created), ((int)refused.StatusCode, next.StatusCode));
    }

    [Fact]
    public async Task The_limit_per_minute_is_kept()
    {
        _gateway.With("Luma:MaxConcurrentJobs", "0").With("Luma:MaxCreatesPerMinute", "2").With("Jobs:QueueTimeout", "00:00:01");
        using var first = await SendAsync("first");
        using var second = await SendAsync(null);

        using var refused = await _gateway.Clock.UntilAsync(SendAsync("third"));

        await refused.ProblemAsync(503, "account_saturated");
        Assert.Equal(2, Sent);
    }

    /// <summary>Sends a create that must not wait.</summary>
    private async Task<HttpResponseMessage> SendAtOnceAsync(string? key, string body)
    {
        var now = _gateway.Clock.GetUtcNow();
        var response = await _gateway.Clock.UntilAsync(SendAsync(key, body));
        Assert.Equal(now, _gateway.Clock.GetUtcNow());
        return response;
    }

    private async Task<HttpResponseMessage> SendAsync(string? key, string body = Body, string? prefer = null, CancellationToken? cancellationToken = null)
    {
        using var caller = _gateway.CreateCaller();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/generations") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in ((string, string?)[])[("Idempotency-Key", key), ("Prefer", prefer)])
        {
            if (value is not null)
            {
                request.Headers.Add(name, value);
            }
        }

        return await caller.SendAsync(request, cancellationToken ?? TestContext.Current.CancellationToken);
    }

    private async Task<List<string?>> JobsAsync()
    {
        using var caller = _gateway.CreateCaller();
        using var response = await caller.SendGetAsync("/jobs");
        return [.. (await response.JsonAsync()).GetProperty("jobs").EnumerateArray().Select(job => job.GetProperty("id").GetString()).Order(StringComparer.Ordinal)];
    }
}
