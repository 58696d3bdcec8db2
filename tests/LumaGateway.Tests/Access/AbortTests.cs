using System.Diagnostics.Metrics;
using System.IO.Pipelines;
using System.Net;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.LongPolling;
using LumaGateway.Polling;
using LumaGateway.Tests.Proxy;
using LumaGateway.Tests.Support;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace LumaGateway.Tests.Access;

/// <summary>Concurrency slots, waiters, poll targets and upstream slots are released at every kind of end of a request.</summary>
public sealed class AbortTests : IDisposable
{
    private const int Aborts = 1500;

    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task A_hit_releases_its_slot_when_the_write_throws_synchronously()
    {
        var failing = new FailingResponses();
        _raw.Gateway.With("Limits:Concurrency", "1").With(services => services.AddSingleton<IStartupFilter>(failing));
        _raw.Upstream.ThenJson(Samples.CompletedAs("g1"));
        using var caller = _raw.CreateCaller();
        using var miss = await caller.SendGetAsync("/generations/g1");

        failing.IsEnabled = true;
        await Assert.ThrowsAnyAsync<Exception>(() => caller.SendGetAsync("/generations/g1"));
        failing.IsEnabled = false;
        using var hit = await caller.SendGetAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, hit.StatusCode);
        await AssertAllReleasedAsync();
    }

    /// <summary>A metrics listener can throw in the middle of a request.</summary>
    [Theory]
    [InlineData("luma_gateway.access.admitted", "/generations/g1", null)]
    [InlineData("luma_gateway.access.admitted", "/generations/g2", null)]
    [InlineData("luma_gateway.access.admitted", "/luma/generations/g1", null)]
    [InlineData("luma_gateway.cache.results", "/generations/g1", null)]
    [InlineData("luma_gateway.cache.results", "/generations?ids=g1,g2", null)]
    [InlineData("luma_gateway.cache.results", "/generations/g2/events", null)]
    [InlineData("luma_gateway.cache.results", "/generations/events?ids=g2,g3", null)]
    [InlineData("luma_gateway.upstream.requests", "/generations/g2", null)]
    [InlineData("luma_gateway.upstream.generations", "/generations/g2", null)]
    [InlineData("luma_gateway.waiting.waiters", "/generations/g2", "wait=5")]
    [InlineData("luma_gateway.waiting.waiters", "/generations/g2/events", null)]
    [InlineData("luma_gateway.waiting.targets", "/generations/g2", "wait=5")]
    [InlineData("luma_gateway.waiting.targets", "/generations/events?ids=g2,g3", null)]
    public async Task An_exception_in_a_callee_releases_slots_waiters_and_poll_targets(string instrument, string path, string? prefer)
    {
        _raw.Gateway.With("Limits:Concurrency", "1").With("Waiting:Max", "1").With("Limits:Upstream:Concurrency", "1").With("Luma:Retries", "0");
        _raw.Upstream.ThenJson(Samples.CompletedAs("g1")).Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Interim(request.RequestUri!.Segments[^1]))));
        using var caller = _raw.CreateCaller();
        using var miss = await caller.SendGetAsync("/generations/g1");

        using (var throwing = new ThrowingListener(_raw.Gateway.Services.GetRequiredService<IMeterFactory>(), instrument))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("Prefer", prefer is null ? [] : [prefer]);
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var pending = caller.SendAsync(request, cancellation.Token);
            await Poll.UntilAsync(() => throwing.Threw);
            await cancellation.CancelAsync();
            await Task.WhenAny(pending);
        }

        await AssertAllReleasedAsync();
        await Poll.UntilAsync(async () =>
        {
            using var hit = await caller.SendGetAsync("/generations/g1");
            return hit.StatusCode is HttpStatusCode.OK;
        });
    }

    [Fact]
    public void A_waiter_that_fails_on_its_second_target_is_removed_from_the_first()
    {
        using var caller = _raw.CreateCaller();
        var (waiters, targets) = (_raw.Gateway.Services.GetRequiredService<WaiterRegistry>(), _raw.Gateway.Services.GetRequiredService<PollTargets>());
        var added = 0;
        targets.Added += () =>
        {
            if (++added == 2)
            {
                throw new InvalidOperationException("the second target");
            }
        };

        Assert.Throws<InvalidOperationException>(() => Subscribe(waiters, targets));

        Assert.Equal(2, added);
        Assert.Equal(0, waiters.Count);
        Assert.Equal(0, targets.Count);
        Assert.True(targets.IsEmpty);
    }

    [Theory]
    [InlineData("Http1")]
    [InlineData("Http2")]
    public async Task Aborted_requests_on_every_route_release_everything(string protocol)
    {
        _raw.Gateway.With("Kestrel:EndpointDefaults:Protocols", protocol).With("Limits:Concurrency", "20").With("Limits:RequestsPerSecond", "0")
            .With("Logging:LogLevel:Default", "Warning");
        _raw.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(
            request.RequestUri!.AbsolutePath.EndsWith("final", StringComparison.Ordinal) ? Samples.CompletedAs("final") : Samples.Interim(request.RequestUri.Segments[^1]))));
        var address = ListeningGateway.Start(_raw.Gateway).Main;
        using var caller = new HttpClient { BaseAddress = address, DefaultRequestVersion = protocol == "Http2" ? HttpVersion.Version20 : HttpVersion.Version11, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        caller.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        using var first = await caller.SendGetAsync("/generations/final");
        var storm = new AbortStorm(address, Gateway.Key, AllRoutes);

        var sent = protocol == "Http2"
            ? await storm.OverHttp2Async(Aborts, TestContext.Current.CancellationToken)
            : await storm.OverHttp1Async(Aborts, TestContext.Current.CancellationToken);

        Assert.InRange(sent, Aborts * 9 / 10, Aborts);
        await AssertAllReleasedAsync();
        using var hit = await caller.SendGetAsync("/generations/final");
        Assert.Equal(HttpStatusCode.OK, hit.StatusCode);
    }

    private static IReadOnlyList<AbortedRequest> AllRoutes { get; } =
    [
        new("GET", "/generations/final"),
        new("GET", "/generations/open"),
        new("HEAD", "/generations/final"),
        new("GET", "/generations/final"),
        new("GET", "/generations?ids=final,open,a,b"),
        new("GET", "/generations/final"),
        new("GET", "/generations/open", null, ("Prefer", "wait=50")),
        new("GET", "/generations/open/events"),
        new("GET", "/generations/events?ids=open,a,b"),
        new("GET", "/generations/final/video"),
        new("DELETE", "/generations/c/cache"),
        new("GET", "/luma/generations/open"),
        new("DELETE", "/luma/generations/d"),
        new("POST", "/luma/generations", """{"prompt":"a"}"""),
        new("POST", "/luma/generations", """{"prompt":"b"}""", ("Idempotency-Key", "storm")),
        new("GET", "/openapi/v1.json"),
        new("GET", "/health/ready"),
        new("GET", "/nothing"),
    ];

    private static void Subscribe(WaiterRegistry waiters, PollTargets targets) =>
        WaiterSubscription.TryCreate(waiters, targets, null, WaiterKind.Stream, null, [GenerationId.Parse("a", null), GenerationId.Parse("b", null)], CancellationToken.None)?.Dispose();

    private Task AssertAllReleasedAsync()
    {
        var services = _raw.Gateway.Services;
        var (waiters, targets, upstream) = (services.GetRequiredService<WaiterRegistry>(), services.GetRequiredService<PollTargets>(), services.GetRequiredService<UpstreamAccounts>().First.Limiter);
        var limiters = services.GetRequiredService<ClientLimiters>();
        return Poll.UntilAsync(() => limiters.ActiveRequests == 0 && waiters.Count == 0 && targets.Count == 0 && targets.IsEmpty && upstream.Active == 0 && upstream.Queued == 0);
    }

    /// <summary>Throws on every measurement of one instrument.</summary>
    private sealed class ThrowingListener : IDisposable
    {
        private readonly MeterListener _listener = new();

        public ThrowingListener(IMeterFactory factory, string instrument)
        {
            _listener.InstrumentPublished = (published, listener) =>
            {
                if (published.Name == instrument && ReferenceEquals(published.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(published);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
            {
                Threw = true;
                throw new InvalidOperationException("The listener throws.");
            });
            _listener.Start();
        }

        public bool Threw { get; private set; }

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>While enabled, every response write throws before it returns a task, as in Kestrel after a stream reset.</summary>
    private sealed class FailingResponses : IStartupFilter
    {
        public bool IsEnabled { get; set; }

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(next => context =>
            {
                if (IsEnabled)
                {
                    context.Features.Set<IHttpResponseBodyFeature>(new FailingBody());
                }

                return next(context);
            });
            next(app);
        };
    }

    private sealed class FailingBody : PipeWriter, IHttpResponseBodyFeature
    {
        public Stream Stream => throw Reset();

        public PipeWriter Writer => this;

        public override void Advance(int bytes) => throw Reset();

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => throw Reset();

        public override Memory<byte> GetMemory(int sizeHint = 0) => throw Reset();

        public override Span<byte> GetSpan(int sizeHint = 0) => throw Reset();

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) => throw Reset();

        public Task CompleteAsync() => Task.CompletedTask;

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw Reset();

        public Task StartAsync(CancellationToken cancellationToken = default) => throw Reset();

        private static OperationCanceledException Reset() => new("The stream was reset.");
    }
}
