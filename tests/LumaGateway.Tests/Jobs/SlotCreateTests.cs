using System.Collections.Concurrent;
using System.Net;
using System.Text;
using LumaGateway.Polling;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Redis;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace LumaGateway.Tests.Jobs;

/// <summary>Creates through an account with one slot. Needs nothing.</summary>
public sealed class SlotCreateTests : IDisposable
{
    private readonly RawGateway _raw = new();

    public SlotCreateTests() => _raw.Gateway.With("Luma:MaxConcurrentJobs", "1");

    public static TheoryData<string?> Keys => new("key", null);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _raw.Dispose();

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_that_waits_too_long_is_refused_and_was_never_sent(string? key)
    {
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, key is null ? null : "first", "g1");

        var second = SendAsync(caller, key);
        await AdvanceUntilAsync(second);

        using var refused = await second;
        await refused.ProblemAsync(503, "account_saturated");
        Assert.Equal("30", refused.Headers.GetValues("Retry-After").Single());
        Assert.Single(_raw.Bodies); // the other requests are polls
        await FinishAsync(caller, "g1");
        using var repeated = await CreateAsync(caller, key, "g2"); // the key is free
        Assert.Equal(HttpStatusCode.Created, repeated.StatusCode);
    }

    [Theory]
    [InlineData("key", HttpStatusCode.BadRequest)]
    [InlineData(null, HttpStatusCode.BadRequest)]
    [InlineData("key", HttpStatusCode.TooManyRequests)]
    [InlineData(null, HttpStatusCode.TooManyRequests)]
    public async Task A_create_that_makes_no_generation_gives_its_slot_back(string? key, HttpStatusCode status)
    {
        using var caller = _raw.CreateCaller();
        _raw.Upstream.ThenJson("{}", status);
        using var refused = await SendAsync(caller, key);

        using var next = await CreateAsync(caller, key is null ? null : "next", "g1");

        Assert.Equal(HttpStatusCode.Created, next.StatusCode);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_waits_until_the_job_before_it_is_final(string? key)
    {
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, key is null ? null : "first", "g1");
        var second = CreateAsync(caller, key, "g2", isScripted: false);

        // While a create waits, the gateway polls the job that holds the slot.
        _raw.Upstream.ThenJson(Samples.Failed("g1")).ThenJson("""{"id":"g2","state":"pending"}""", HttpStatusCode.Created);
        await AdvanceUntilAsync(second);

        using var response = await second;
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    /// <summary>An upstream may show a new generation late.</summary>
    [Theory]
    [InlineData(1, HttpStatusCode.ServiceUnavailable)]
    [InlineData(2, HttpStatusCode.Created)]
    public async Task A_job_that_the_upstream_does_not_know_gives_its_slot_back_at_the_second_poll(int notFound, HttpStatusCode expected)
    {
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, null, "g1");
        var polls = 0;
        _raw.Upstream.Always((request, _) => Task.FromResult(
            request.Method == HttpMethod.Post ? ScriptedUpstream.Json("""{"id":"g2","state":"pending"}""", HttpStatusCode.Created)
            : Interlocked.Increment(ref polls) <= notFound ? ScriptedUpstream.Json("{}", HttpStatusCode.NotFound)
            : ScriptedUpstream.Json(Samples.Interim("g1"))));

        var second = SendAsync(caller, null);
        await AdvanceUntilAsync(second);

        using var response = await second;
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_create_that_waits_for_longer_than_a_create_may_take_is_not_sent_and_does_not_pause_its_account()
    {
        _raw.Gateway.With("Passthrough:CreateTimeout", "00:00:10").With("Jobs:QueueTimeout", "00:01:30");
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, "first", "g1");
        var state = Samples.Interim("g1");
        _raw.Upstream.Always((request, _) => Task.FromResult(
            request.Method == HttpMethod.Post ? ScriptedUpstream.Json("""{"id":"g2","state":"pending"}""", HttpStatusCode.Created) : ScriptedUpstream.Json(state)));
        using var waiting = _raw.Gateway.Collect<long>("luma_gateway.jobs.waiting");
        var second = SendAsync(caller, "second");
        await Eventually.TrueAsync(() => waiting.GetMeasurementSnapshot().Sum(one => one.Value) == 1);
        _raw.Gateway.Clock.Advance(TimeSpan.FromSeconds(12));
        Assert.False(second.IsCompleted);

        state = Samples.Failed("g1");
        await AdvanceUntilAsync(second);

        using var refused = await second;
        await refused.ProblemAsync(503, "account_saturated");
        Assert.Single(_raw.Bodies);
        var third = SendAsync(caller, "second");
        await AdvanceUntilAsync(third);
        using var repeated = await third;
        Assert.Equal(HttpStatusCode.Created, repeated.StatusCode);
    }

    [Fact]
    public async Task A_create_without_a_key_holds_its_slot_as_long_as_it_can_take()
    {
        _raw.Gateway.With("Passthrough:CreateTimeout", "00:00:01").With("Jobs:QueueTimeout", "00:00:01");
        using var caller = _raw.CreateCaller();
        var created = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => created.Task).ThenJson("""{"id":"g2","state":"pending"}""", HttpStatusCode.Created);
        var first = SendAsync(caller, null);
        await _raw.Upstream.WaitForRequestsAsync(1);
        _raw.Gateway.Clock.Advance(TimeSpan.FromSeconds(60)); // YARP waits 100 s for the upstream

        var second = SendAsync(caller, null);
        await AdvanceUntilAsync(second);

        using var refused = await second;
        await refused.ProblemAsync(503, "account_saturated");
        created.SetResult(ScriptedUpstream.Json("""{"id":"g1","state":"pending"}""", HttpStatusCode.Created));
        using var response = await first;
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Fact]
    public async Task A_finished_job_gives_its_slot_back_although_the_jobs_before_it_use_up_the_polls()
    {
        _raw.Gateway.With("Luma:MaxConcurrentJobs", "2").With("Luma:MaxPollsPerSecond", "0.5").With("Jobs:QueueTimeout", "00:01:30");
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, null, "g1");
        using var second = await CreateAsync(caller, null, "g2");
        _raw.Upstream.Always((request, _) => Task.FromResult(
            request.Method == HttpMethod.Post ? ScriptedUpstream.Json("""{"id":"g3","state":"pending"}""", HttpStatusCode.Created)
            : ScriptedUpstream.Json(request.RequestUri!.Segments[^1] is "g2" ? Samples.Failed("g2") : Samples.Interim("g1"))));

        var third = SendAsync(caller, null);
        await AdvanceUntilAsync(third);

        using var response = await third;
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Fact]
    public async Task A_finished_job_gives_its_slot_back_although_the_poll_of_another_job_gets_no_response()
    {
        _raw.Gateway.With("Luma:MaxConcurrentJobs", "2").With("Luma:AttemptTimeout", "00:01:00").With("Luma:Deadline", "00:01:00").With("Jobs:QueueTimeout", "00:01:30");
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, null, "g1");
        using var second = await CreateAsync(caller, null, "g2");
        var poll = new HeldStep();
        var state = Samples.Interim("g2");
        _raw.Upstream.Always(async (request, _) =>
        {
            if (request.Method == HttpMethod.Post)
            {
                return ScriptedUpstream.Json("""{"id":"g3","state":"pending"}""", HttpStatusCode.Created);
            }

            if (request.RequestUri!.Segments[^1] is "g1")
            {
                await poll.HoldAsync();
                return ScriptedUpstream.Json(Samples.Interim("g1"));
            }

            return ScriptedUpstream.Json(state);
        });
        var third = SendAsync(caller, null);
        var polled = poll.ReachedAsync();
        await AdvanceUntilAsync(polled);

        state = Samples.Failed("g2");
        await AdvanceUntilAsync(third);

        using var response = await third;
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        poll.Release();
    }

    [Theory]
    [InlineData("00:00:00")]
    [InlineData("00:00:00.1")]
    public async Task A_finished_job_gives_its_slot_back_although_no_create_waits_as_long_as_the_interval_of_polls(string queueTimeout)
    {
        const int MostCreates = 1000;
        _raw.Gateway.With("Jobs:QueueTimeout", queueTimeout).With("Waiting:PollEvery", "00:00:05").With("Waiting:PollSlowest", "00:01:00");
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, null, "g1");
        var polled = new TaskCompletionSource();
        _raw.Upstream.Always((request, _) =>
        {
            if (request.Method == HttpMethod.Post)
            {
                return Task.FromResult(ScriptedUpstream.Json("""{"id":"g2","state":"pending"}""", HttpStatusCode.Created));
            }

            polled.TrySetResult();
            return Task.FromResult(ScriptedUpstream.Json(Samples.Failed("g1")));
        });

        var status = HttpStatusCode.ServiceUnavailable;
        for (var creates = 0; status is HttpStatusCode.ServiceUnavailable && creates < MostCreates; creates++)
        {
            var create = SendAsync(caller, null);
            await AdvanceUntilAsync(create);
            using var response = await create;
            status = response.StatusCode;
            _raw.Gateway.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(polled.Task.IsCompleted);
        Assert.Equal(HttpStatusCode.Created, status);
    }

    [Fact]
    public async Task Each_job_that_holds_a_slot_is_polled_once_before_any_is_polled_again()
    {
        const int Jobs = 12;
        _raw.Gateway.With("Luma:MaxConcurrentJobs", $"{Jobs}").With("Luma:MaxPollsPerSecond", "8");
        using var caller = _raw.CreateCaller();
        for (var number = 0; number < Jobs; number++)
        {
            using var created = await CreateAsync(caller, null, $"g{number}");
        }

        var polls = new ConcurrentQueue<string>();
        _raw.Upstream.Always((request, _) =>
        {
            if (request.Method == HttpMethod.Get)
            {
                polls.Enqueue(request.RequestUri!.Segments[^1]);
            }

            return Task.FromResult(ScriptedUpstream.Json(Samples.Interim(request.RequestUri!.Segments[^1])));
        });
        using var leaving = new CancellationTokenSource();
        var waiting = SendAsync(caller, null, leaving.Token);
        await Eventually.TrueAsync(() =>
        {
            _raw.Gateway.Clock.Advance(TimeSpan.FromMilliseconds(20));
            return polls.Count >= Jobs || waiting.IsCompleted;
        });

        Assert.Equal(Jobs, polls.Take(Jobs).Distinct().Count());
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_job_is_not_polled_before_the_Retry_After_of_its_account_has_passed()
    {
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, null, "g1");
        using var faults = _raw.Gateway.Collect<long>("luma_gateway.upstream.faults");
        _raw.Gateway.Services.GetRequiredService<UpstreamAccounts>().First.Hold.Start(TimeSpan.FromHours(1));

        var second = SendAsync(caller, null);
        await AdvanceUntilAsync(second);

        using var refused = await second;
        await refused.ProblemAsync(503, "account_saturated");
        Assert.DoesNotContain(faults.GetMeasurementSnapshot(), static fault => fault.Value > 0);
    }

    [Fact]
    public async Task A_caller_that_disconnects_from_a_waiting_create_releases_its_key()
    {
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, "first", "g1");
        using var leaving = new CancellationTokenSource();
        using var waiting = _raw.Gateway.Collect<long>("luma_gateway.jobs.waiting");
        var second = SendAsync(caller, "key", leaving.Token);
        await Eventually.TrueAsync(() => waiting.GetMeasurementSnapshot().Sum(one => one.Value) == 1);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Eventually.TrueAsync(() => waiting.GetMeasurementSnapshot().Sum(one => one.Value) == 0);
        await FinishAsync(caller, "g1");
        using var repeated = await CreateAsync(caller, "key", "g2");
        Assert.Equal(HttpStatusCode.Created, repeated.StatusCode);
    }

    [Fact]
    public async Task A_stopping_replica_does_not_wait_for_the_poll_of_a_job_that_holds_a_slot()
    {
        using var caller = _raw.CreateCaller();
        using var first = await CreateAsync(caller, null, "g1");
        var poll = new HeldStep();
        _raw.Upstream.Always(async (_, _) =>
        {
            await poll.HoldAsync();
            return ScriptedUpstream.Json(Samples.Interim("g1"));
        });
        var second = SendAsync(caller, null);
        var polled = poll.ReachedAsync();
        await AdvanceUntilAsync(polled);
        await polled;

        await _raw.Gateway.Services.GetServices<IHostedService>().OfType<SlotPoller>().Single().StopAsync(CancellationToken.None).WithTimeout();

        poll.Release();
        await AdvanceUntilAsync(second);
        (await second).Dispose();
    }

    private async Task FinishAsync(HttpClient caller, string id)
    {
        _raw.Upstream.ThenJson(Samples.Failed(id));
        using var read = await caller.SendGetAsync($"/generations/{id}");
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    private async Task AdvanceUntilAsync(Task task)
    {
        await Eventually.TrueAsync(() =>
        {
            _raw.Gateway.Clock.Advance(TimeSpan.FromMilliseconds(200));
            return task.IsCompleted;
        });
    }

    private async Task<HttpResponseMessage> CreateAsync(HttpClient caller, string? key, string id, bool isScripted = true)
    {
        if (isScripted)
        {
            _raw.Upstream.ThenJson($$"""{"id":"{{id}}","state":"pending"}""", HttpStatusCode.Created);
        }

        var sending = SendAsync(caller, key);
        if (isScripted)
        {
            await AdvanceUntilAsync(sending); // its slot may become free a moment later
        }

        return await sending;
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient caller, string? key, CancellationToken? cancellationToken = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/luma/generations") { Content = new StringContent("""{"user_prompt":"a cat"}""", Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await caller.SendAsync(request, cancellationToken ?? Cancelled);
    }
}
