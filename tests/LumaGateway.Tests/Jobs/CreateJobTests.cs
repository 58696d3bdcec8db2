using System.IO.Compression;
using System.Net;
using System.Text;
using LumaGateway.Contracts;
using LumaGateway.Jobs;
using LumaGateway.Tests.Caching;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LumaGateway.Tests.Jobs;

/// <summary>The jobs that creates leave in the ledger, with and without an <c>Idempotency-Key</c>. Needs nothing.</summary>
public sealed class CreateJobTests : IDisposable
{
    private const string Created = """{"id":"g1","state":"pending","prompt":"a cat"}""";

    private readonly RawGateway _raw = new();
    private readonly GuardedLedger _ledger;

    public CreateJobTests()
    {
        _ledger = new GuardedLedger(Ledgers.InMemory(_raw.Gateway.Clock));
        _raw.Gateway.With(services => services.Replace(ServiceDescriptor.Singleton<IJobLedger>(_ledger)));
    }

    public static TheoryData<string?> Keys => new("key", null);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _raw.Dispose();

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_is_in_the_ledger_before_its_caller_gets_the_id(string? key)
    {
        var duringCreate = new List<Job>();
        _raw.Upstream.Then((_, _) =>
        {
            duringCreate.AddRange(_ledger.Jobs);
            return Json(HttpStatusCode.Created, Created);
        });
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(Created, await response.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal((null, JobState.Unknown, "tests", "tests"), Assert.Single(duringCreate) is var before ? (before.Id, before.State, before.Client, before.Group) : default);
        var job = Assert.Single(_ledger.Jobs);
        Assert.Equal(
            ("g1", "default", "relay", "tests", "tests", JobState.Queued, key is not null),
            (job.Key, job.Account, job.Dialect, job.Client, job.Group, job.State, job.IdempotencyKeyHash is not null));
        Assert.Equal(_raw.Gateway.Clock.GetUtcNow(), job.CreatedAt);
    }

    /// <summary>RFC 9110, section 12.5.3: without <c>Accept-Encoding</c> every encoding is acceptable.</summary>
    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_is_recorded_if_its_upstream_compresses_unless_it_is_told_not_to(string? key)
    {
        _raw.Upstream.Then(async (request, _) =>
        {
            var response = ScriptedUpstream.Json(Created, HttpStatusCode.Created);
            if (!request.Headers.AcceptEncoding.Any(encoding => encoding.Value == "identity"))
            {
                using var compressed = new MemoryStream();
                await using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
                {
                    await gzip.WriteAsync(Encoding.UTF8.GetBytes(Created), Cancelled);
                }

                response.Content = new ByteArrayContent(compressed.ToArray()) { Headers = { ContentEncoding = { "gzip" } } };
            }

            return response;
        });
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key);

        Assert.Equal(Created, await response.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal("g1", Assert.Single(_ledger.Jobs).Key);
    }

    /// <summary>Another replica polls the ids of slots, and records an id without a job as one of no client.</summary>
    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_slot_is_bound_to_its_generation_after_the_job_is_recorded(string? key)
    {
        var atBind = new List<string>();
        var slots = new BindObserver(new MemorySlotStore(_raw.Gateway.Clock), () => atBind.AddRange(_ledger.Jobs.Select(static job => job.Key)));
        _raw.Gateway.With("Luma:MaxConcurrentJobs", "1").With(services => services.Replace(ServiceDescriptor.Singleton<ISlotStore>(slots)));
        _raw.Upstream.Then((_, _) => Json(HttpStatusCode.Created, Created));
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key);

        Assert.Equal("g1", Assert.Single(atBind));
    }

    [Theory]
    [InlineData("key", 400)]
    [InlineData(null, 400)]
    [InlineData("key", 429)]
    [InlineData(null, 429)]
    [InlineData("key", 402)]
    [InlineData(null, 402)]
    public async Task A_create_that_made_no_generation_leaves_no_job(string? key, int status)
    {
        _raw.Upstream.Then((_, _) => Json((HttpStatusCode)status, """{"detail":"no"}"""));
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key);

        Assert.Empty(_ledger.Jobs);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_create_with_an_unknown_outcome_stays_in_the_ledger_as_unknown(string? key)
    {
        _raw.Upstream.Then((_, _) => Json(HttpStatusCode.InternalServerError, "{}"));
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key);

        Assert.Equal((null, JobState.Unknown), Assert.Single(_ledger.Jobs) is var job ? (job.Id, job.State) : default);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task A_response_without_an_id_is_logged_and_counted_and_stays_unknown(string? key)
    {
        using var unrecorded = _raw.Gateway.Collect<long>("luma_gateway.jobs.unrecorded");
        _raw.Upstream.Then((_, _) => Json(HttpStatusCode.OK, """{"made":"something"}"""));
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key);

        Assert.Equal("""{"made":"something"}""", await response.Content.ReadAsStringAsync(Cancelled));
        Assert.Equal(JobState.Unknown, Assert.Single(_ledger.Jobs).State);
        Assert.Equal("unreadable_response", Assert.Single(unrecorded.GetMeasurementSnapshot(), one => one.Value == 1).Tags["luma_gateway.jobs.reason"]);
        Assert.Single(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 4322);
    }

    [Fact]
    public async Task A_ledger_that_fails_does_not_stop_a_create_without_a_key()
    {
        using var unrecorded = _raw.Gateway.Collect<long>("luma_gateway.jobs.unrecorded");
        _ledger.IsAvailable = false;
        _raw.Upstream.Then((_, _) => Json(HttpStatusCode.Created, Created));
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key: null);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        await Eventually.TrueAsync(() => unrecorded.GetMeasurementSnapshot().Any(one => one.Value == 1 && (string)one.Tags["luma_gateway.jobs.reason"]! == "ledger_unavailable"));
    }

    [Fact]
    public async Task A_create_that_the_ledger_recorded_without_confirming_is_refused_and_leaves_no_job()
    {
        _raw.Gateway.With("Access:Ownership", "Group");
        _ledger.IsUnconfirmed = true;
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, key: null);

        await response.ProblemAsync(503, "ledger_unavailable");
        Assert.Equal(0, _raw.Upstream.RequestCount);
        await Eventually.TrueAsync(() => _ledger.Jobs.Count == 0);
    }

    [Fact]
    public async Task An_upload_of_a_file_makes_no_job()
    {
        _raw.Upstream.Then((_, _) => Json(HttpStatusCode.Created, """{"id":"f1","state":"pending"}"""));
        using var caller = _raw.CreateCaller();

        using var response = await CreateAsync(caller, "key", "/luma/files");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Empty(_ledger.Jobs);
    }

    private static Task<HttpResponseMessage> Json(HttpStatusCode status, string body) =>
        Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") });

    private static async Task<HttpResponseMessage> CreateAsync(HttpClient caller, string? key, string path = "/luma/generations")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("""{"user_prompt":"a cat"}""", Encoding.UTF8, "application/json") };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await caller.SendAsync(request, Cancelled);
    }

    private sealed class BindObserver(MemorySlotStore store, Action onBind) : ISlotStore
    {
        public Task<TimeSpan?> TryTakeAsync(string account, string lease, SlotLimits limits, TimeSpan lifetime) => store.TryTakeAsync(account, lease, limits, lifetime);

        public Task BindAsync(string account, string lease, GenerationId id, TimeSpan lifetime)
        {
            onBind();
            return store.BindAsync(account, lease, id, lifetime);
        }

        public Task ReleaseAsync(string account, string holder) => store.ReleaseAsync(account, holder);

        public Task<IReadOnlyList<GenerationId>> HoldersAsync(string account) => store.HoldersAsync(account);
    }
}
