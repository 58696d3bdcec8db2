using System.Collections.Concurrent;
using System.Net;
using System.Text;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace LumaGateway.Tests.Proxy;

/// <summary>One Idempotency-Key means one POST: however its path is spelled, and whatever becomes of its record while the create runs.</summary>
[Collection(RunsAlone.Name)]
public sealed class KeyScopeTests : IDisposable
{
    private const string Created = """{"id":"g1","state":"queued"}""";

    private readonly RawGateway _raw = new();
    private readonly LossyStore _store = new();

    public KeyScopeTests() => _raw.Gateway.With(services => services.Replace(ServiceDescriptor.Singleton<IIdempotencyStore>(_store)));

    public void Dispose() => _raw.Dispose();

    [Theory]
    [InlineData("/luma/generations/video", "/luma/generations/video/")]
    [InlineData("/luma/generations/video", "/Luma/Generations/Video")]
    [InlineData("/luma/generations/video", "/LUMA/generations/VIDEO/")]
    [InlineData("/luma/generations", "/luma/GENERATIONS/")]
    [InlineData("/luma/generations/g1/extend", "/luma/Generations/g1/Extend/")]
    public async Task One_route_is_one_create_however_its_path_is_spelled(string path, string spelled)
    {
        _raw.Upstream.AlwaysJson(Created, HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync(caller, path);
        using var second = await CreateAsync(caller, spelled);

        Assert.Equal(1, _raw.Upstream.Asked);
        Assert.Equal(HttpStatusCode.Created, second.StatusCode);
        Assert.Equal("true", second.Header("Idempotency-Replayed"));
    }

    [Fact]
    public async Task A_route_that_catches_all_knows_its_paths_however_they_are_spelled()
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
        Assert.Equal(2, _raw.Upstream.Asked);
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

        Assert.Equal(2, _raw.Upstream.Asked);
    }

    [Theory]
    [InlineData(HttpStatusCode.Created, 201, "")]
    [InlineData(HttpStatusCode.UnprocessableEntity, 422, "")]
    [InlineData(HttpStatusCode.InternalServerError, 409, "outcome_unknown")]
    public async Task A_record_that_vanishes_while_the_create_runs_is_written_again_with_its_outcome_and_warned_about(HttpStatusCode answered, int again, string code)
    {
        _raw.Upstream.Then((_, _) =>
        {
            _store.LoseAll();
            return Task.FromResult(ScriptedUpstream.Json(Created, answered));
        });
        using var caller = _raw.CreateCaller();

        using var first = await CreateAsync(caller, "/luma/generations");
        using var second = await CreateAsync(caller, "/luma/generations");

        Assert.Equal(1, _raw.Upstream.Asked);
        Assert.Equal(again, (int)second.StatusCode);
        if (code.Length > 0)
        {
            await second.ProblemAsync(again, code);
        }

        var warning = Assert.Single(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 4302);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Contains("noeviction", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_was_claimed_anew_after_its_record_vanished_is_named_as_perhaps_created_twice()
    {
        var answer = new TaskCompletionSource<HttpResponseMessage>();
        _raw.Upstream.Then((_, _) => answer.Task).ThenJson(Created, HttpStatusCode.Created);
        using var caller = _raw.CreateCaller();
        var first = CreateAsync(caller, "/luma/generations");
        await Pump.EventuallyAsync(() => _raw.Upstream.Asked == 1);
        _store.LoseAll();
        using var second = await CreateAsync(caller, "/luma/generations");
        answer.SetResult(ScriptedUpstream.Json("""{"id":"g2"}""", HttpStatusCode.Created));
        using var late = await first;

        using var third = await CreateAsync(caller, "/luma/generations");

        Assert.Equal(2, _raw.Upstream.Asked);
        Assert.Equal(Created, await third.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal(LogLevel.Error, Assert.Single(_raw.Gateway.Logs.GetSnapshot(), record => record.Id.Id == 4303).Level);
    }

    [Fact]
    public async Task A_write_that_was_done_although_nobody_confirmed_it_is_neither_lost_nor_warned_about()
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

    /// <summary>A store that evicts, as a Redis with another policy than noeviction does.</summary>
    private sealed class LossyStore : IIdempotencyStore
    {
        private readonly ConcurrentDictionary<string, byte[]> _records = new();

        /// <summary>The next replacement is done and then reported as not confirmed.</summary>
        public bool IsReplaceUnconfirmedOnce { get; set; }

        public void LoseAll() => _records.Clear();

        public Task<byte[]?> TryAddAsync(string owner, string key, byte[] record, TimeSpan life)
        {
            var first = _records.GetOrAdd(key, record);
            return Task.FromResult(ReferenceEquals(first, record) ? null : first);
        }

        public Task<bool> ReplaceAsync(string key, byte[] known, byte[] record, TimeSpan life)
        {
            var isHeld = _records.TryGetValue(key, out var held) && held.AsSpan().SequenceEqual(known) && _records.TryUpdate(key, record, held);
            if (!IsReplaceUnconfirmedOnce)
            {
                return Task.FromResult(isHeld);
            }

            IsReplaceUnconfirmedOnce = false;
            return Task.FromException<bool>(new IdempotencyStoreUnavailableException("It did not confirm."));
        }

        public Task RemoveAsync(string key, byte[] known)
        {
            if (_records.TryGetValue(key, out var held) && held.AsSpan().SequenceEqual(known))
            {
                _records.TryRemove(new(key, held));
            }

            return Task.CompletedTask;
        }
    }
}
