using System.Collections.Concurrent;
using System.Net;
using System.Text;
using LumaGateway.Jobs;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Proxy;

/// <summary>One Idempotency-Key sends one POST: in every spelling of the path, and if the record is lost while the create runs.</summary>
[Collection(RunsAlone.Name)]
public sealed class IdempotencyKeyTests : IDisposable
{
    private const string Created = """{"id":"g1","state":"queued"}""";

    private readonly RawGateway _raw = new();
    private readonly LossyStore _store = new();

    public IdempotencyKeyTests() => _raw.Gateway.With(services => services.Replace(ServiceDescriptor.Singleton<IIdempotencyStore>(_store)));

    public void Dispose() => _raw.Dispose();

    [Theory]
    [InlineData("/luma/generations/video", "/luma/generations/video/")]
    [InlineData("/luma/generations/video", "/Luma/Generations/Video")]
    [InlineData("/luma/generations/video", "/LUMA/generations/VIDEO/")]
    [InlineData("/luma/generations", "/luma/GENERATIONS/")]
    [InlineData("/luma/generations/g1/extend", "/luma/Generations/g1/Extend/")]
    [InlineData("/luma/generations/4665a07c-7641-4809-a133-10786201bb56/extend", "/luma/generations/4665A07C-7641-4809-A133-10786201BB56/extend")]
    public async Task All_spellings_of_a_path_are_one_create(string path, string otherSpelling)
    {
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync(caller, path);
        using var second = await CreateAsync(caller, otherSpelling);

        Assert.Equal(1, _raw.Upstream.RequestCount);
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal("true", second.Header("Idempotency-Replayed"));
    }

    [Fact]
    public async Task All_spellings_of_a_catch_all_path_are_one_create()
    {
        _raw.Gateway.With("ReverseProxy:Routes:rest:ClusterId", "luma")
            .With("ReverseProxy:Routes:rest:Match:Path", "/luma/more/{**rest}")
            .With("ReverseProxy:Routes:rest:Match:Methods:0", "POST");
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync(caller, "/luma/more/a/b");
        using var second = await CreateAsync(caller, "/luma/more/a//B/");
        using var other = await CreateAsync(caller, "/luma/more/a/c");

        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.Equal("", other.Header("Idempotency-Replayed"));
        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData("/luma/generations/g1/extend", "/luma/generations/G1/extend")]
    [InlineData("/luma/generations/g1/extend", "/luma/generations/g1/upscale")]
    public async Task Another_generation_or_another_route_is_another_create(string path, string other)
    {
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync(caller, path);
        using var second = await CreateAsync(caller, other);

        Assert.Equal(2, _raw.Upstream.RequestCount);
    }

    [Theory]
    [InlineData(HttpStatusCode.Created, 201, "")]
    [InlineData(HttpStatusCode.UnprocessableEntity, 422, "")]
    [InlineData(HttpStatusCode.InternalServerError, 409, "outcome_unknown")]
    public async Task A_record_that_is_lost_while_the_create_runs_is_written_again_with_a_warning(HttpStatusCode status, int repetitionStatus, string code)
    {
        _raw.Upstream.Then((_, _) =>
        {
            _store.LoseAll();
            return Task.FromResult(ScriptedUpstream.Json(Created, status));
        });
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync(caller, "/luma/generations");
        using var second = await CreateAsync(caller, "/luma/generations");

        Assert.Equal(1, _raw.Upstream.RequestCount);
        Assert.Equal(repetitionStatus, (int)second.StatusCode);
        if (code.Length > 0)
        {
            await second.ProblemAsync(repetitionStatus, code);
        }

        var warning = Assert.Single(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 4302);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Contains("noeviction", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_claimed_again_after_its_record_was_lost_logs_an_error()
    {
        var response = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => response.Task).ThenJson(Created, HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        var first = CreateAsync(caller, "/luma/generations");
        await Poll.UntilAsync(() => _raw.Upstream.RequestCount == 1);
        _store.LoseAll();
        using var second = await CreateAsync(caller, "/luma/generations");
        response.SetResult(ScriptedUpstream.Json("""{"id":"g2"}""", HttpStatusCode.Created));
        using var late = await first;

        using var third = await CreateAsync(caller, "/luma/generations");

        Assert.Equal(2, _raw.Upstream.RequestCount);
        Assert.Equal(Created, await third.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(LogLevel.Error, Assert.Single(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 4303).Level);
    }

    [Fact]
    public async Task A_write_that_took_effect_but_was_not_confirmed_logs_no_warning()
    {
        _raw.Upstream.ThenJson(Created, HttpStatusCode.Created);
        _store.IsReplaceUnconfirmedOnce = true;
        using var caller = _raw.CreateCaller();
        var creating = CreateAsync(caller, "/luma/generations");
        using var first = await _raw.Gateway.Clock.UntilAsync(creating);
        using var second = await CreateAsync(caller, "/luma/generations");

        Assert.Equal("true", second.Header("Idempotency-Replayed"));
        Assert.DoesNotContain(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id is 4301 or 4302 or 4303);
    }

    private static async Task<HttpResponseMessage> CreateAsync(HttpClient caller, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("""{"prompt":"cat"}""", Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", "k1");
        return await caller.SendAsync(request, TestContext.Current.CancellationToken);
    }

    /// <summary>A store that can lose records, like a Redis with an eviction policy.</summary>
    private sealed class LossyStore : IIdempotencyStore
    {
        private readonly ConcurrentDictionary<string, byte[]> _records = new();

        /// <summary>Whether the next replacement takes effect but is reported as not confirmed.</summary>
        public bool IsReplaceUnconfirmedOnce { get; set; }

        public void LoseAll() => _records.Clear();

        public Task<byte[]?> TryAddAsync(string client, string key, byte[] record, TimeSpan lifetime, JobChange? change = null)
        {
            var existing = _records.GetOrAdd(key, record);
            return Task.FromResult(ReferenceEquals(existing, record) ? null : existing);
        }

        public Task<byte[]?> FindAsync(string key) => Task.FromResult(_records.GetValueOrDefault(key));

        public Task<bool> ReplaceAsync(string key, byte[] expected, byte[] record, TimeSpan lifetime, JobChange? change = null)
        {
            var isReplaced = _records.TryGetValue(key, out var stored) && stored.AsSpan().SequenceEqual(expected) && _records.TryUpdate(key, record, stored);
            if (!IsReplaceUnconfirmedOnce)
            {
                return Task.FromResult(isReplaced);
            }

            IsReplaceUnconfirmedOnce = false;
            return Task.FromException<bool>(new IdempotencyStoreUnavailableException("The store did not confirm."));
        }

        public Task RemoveAsync(string key, byte[] expected, JobChange? change = null)
        {
            if (_records.TryGetValue(key, out var stored) && stored.AsSpan().SequenceEqual(expected))
            {
                _records.TryRemove(new(key, stored));
            }

            return Task.CompletedTask;
        }
    }
}
