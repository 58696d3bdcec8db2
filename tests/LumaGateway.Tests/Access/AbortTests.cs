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

/// <summary>Slots, waiters, watches and gate places are given back, however a request ends.</summary>
public sealed class AbortTests : IDisposable
{
    private const int Aborts = 1500;

    private readonly RawGateway _raw = new();

    public void Dispose() => _raw.Dispose();

    [Fact]
    public async Task A_hit_whose_write_throws_at_once_gives_its_slot_back()
    {
        var broken = new BrokenResponses();
        _raw.Gateway.With("Limits:Concurrency", "1").With(services => services.AddSingleton<IStartupFilter>(broken));
        _raw.Upstream.ThenJson(Samples.CompletedAs("g1"));
        using var caller = _raw.CreateCaller();
        using var miss = await caller.AskAsync("/generations/g1");

        broken.AreOn = true;
        await Assert.ThrowsAnyAsync<Exception>(() => caller.AskAsync("/generations/g1"));
        broken.AreOn = false;
        using var hit = await caller.AskAsync("/generations/g1");

        Assert.Equal(HttpStatusCode.OK, hit.StatusCode);
        await AssertNothingIsHeldAsync();
    }

    /// <summary>A listener of metrics is a callee like any other: it may throw in the middle of everything.</summary>
    [Theory]
    [InlineData("luma_gateway.access.admitted", "/generations/g1", null)]
    [InlineData("luma_gateway.access.admitted", "/generations/g2", null)]
    [InlineData("luma_gateway.access.admitted", "/luma/generations/g1", null)]
    [InlineData("luma_gateway.cache.answers", "/generations/g1", null)]
    [InlineData("luma_gateway.cache.answers", "/generations?ids=g1,g2", null)]
    [InlineData("luma_gateway.upstream.requests", "/generations/g2", null)]
    [InlineData("luma_gateway.upstream.generations", "/generations/g2", null)]
    [InlineData("luma_gateway.waiting.waiters", "/generations/g2", "wait=5")]
    [InlineData("luma_gateway.waiting.waiters", "/generations/g2/events", null)]
    [InlineData("luma_gateway.waiting.watched", "/generations/g2", "wait=5")]
    [InlineData("luma_gateway.waiting.watched", "/generations/events?ids=g2,g3", null)]
    public async Task A_callee_that_throws_leaves_no_slot_waiter_watch_or_gate_place_behind(string instrument, string path, string? prefer)
    {
        _raw.Gateway.With("Limits:Concurrency", "1").With("Waiting:Max", "1").With("Limits:Upstream:Concurrency", "1").With("Luma:Retries", "0");
        _raw.Upstream.ThenJson(Samples.CompletedAs("g1")).Always((request, _) => Task.FromResult(ScriptedUpstream.Json(Samples.Unfinished(request.RequestUri!.Segments[^1]))));
        using var caller = _raw.CreateCaller();
        using var miss = await caller.AskAsync("/generations/g1");

        using (var thrower = new ThrowingListener(_raw.Gateway.Services.GetRequiredService<IMeterFactory>(), instrument))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("Prefer", prefer is null ? [] : [prefer]);
            using var leaving = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var asking = caller.SendAsync(request, leaving.Token);
            await Pump.EventuallyAsync(() => thrower.Threw);
            await leaving.CancelAsync();
            await Task.WhenAny(asking);
        }

        await AssertNothingIsHeldAsync();
        await Pump.EventuallyAsync(async () =>
        {
            using var hit = await caller.AskAsync("/generations/g1");
            return hit.StatusCode is HttpStatusCode.OK;
        });
    }

    [Fact]
    public void A_waiter_that_cannot_follow_all_it_asks_for_leaves_what_it_entered()
    {
        using var caller = _raw.CreateCaller();
        var (room, table) = (_raw.Gateway.Services.GetRequiredService<WaiterRegistry>(), _raw.Gateway.Services.GetRequiredService<PollTargets>());
        var joins = 0;
        table.Added += () =>
        {
            if (++joins == 2)
            {
                throw new InvalidOperationException("the second");
            }
        };

        Assert.Throws<InvalidOperationException>(() => Begin(room, table));

        Assert.Equal(2, joins);
        Assert.Equal(0, room.Count);
        Assert.Equal(0, table.Count);
        Assert.True(table.IsEmpty);
    }

    [Theory]
    [InlineData("Http1")]
    [InlineData("Http2")]
    public async Task Requests_that_are_aborted_on_every_route_leave_nothing_behind(string protocol)
    {
        _raw.Gateway.With("Kestrel:EndpointDefaults:Protocols", protocol).With("Limits:Concurrency", "20").With("Limits:RequestsPerSecond", "0")
            .With("Logging:LogLevel:Default", "Warning");
        _raw.Upstream.Always((request, _) => Task.FromResult(ScriptedUpstream.Json(
            request.RequestUri!.AbsolutePath.EndsWith("done", StringComparison.Ordinal) ? Samples.CompletedAs("done") : Samples.Unfinished(request.RequestUri.Segments[^1]))));
        var address = Listening.Start(_raw.Gateway).Main;
        using var caller = new HttpClient { BaseAddress = address, DefaultRequestVersion = protocol == "Http2" ? HttpVersion.Version20 : HttpVersion.Version11, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        caller.DefaultRequestHeaders.Add("X-Api-Key", Gateway.Key);
        using var first = await caller.AskAsync("/generations/done");
        var storm = new AbortStorm(address, Gateway.Key, AllRoutes);

        var sent = protocol == "Http2"
            ? await storm.OverHttp2Async(Aborts, TestContext.Current.CancellationToken)
            : await storm.OverHttp1Async(Aborts, TestContext.Current.CancellationToken);

        Assert.InRange(sent, Aborts * 9 / 10, Aborts);
        await AssertNothingIsHeldAsync();
        using var hit = await caller.AskAsync("/generations/done");
        Assert.Equal(HttpStatusCode.OK, hit.StatusCode);
    }

    private static IReadOnlyList<AbortedRequest> AllRoutes { get; } =
    [
        new("GET", "/generations/done"),
        new("GET", "/generations/open"),
        new("HEAD", "/generations/done"),
        new("GET", "/generations/done"),
        new("GET", "/generations?ids=done,open,a,b"),
        new("GET", "/generations/done"),
        new("GET", "/generations/open", null, ("Prefer", "wait=50")),
        new("GET", "/generations/open/events"),
        new("GET", "/generations/events?ids=open,a,b"),
        new("GET", "/generations/done/video"),
        new("DELETE", "/generations/c/cache"),
        new("GET", "/luma/generations/open"),
        new("DELETE", "/luma/generations/d"),
        new("POST", "/luma/generations", """{"prompt":"a"}"""),
        new("POST", "/luma/generations", """{"prompt":"b"}""", ("Idempotency-Key", "storm")),
        new("GET", "/openapi/v1.json"),
        new("GET", "/health/ready"),
        new("GET", "/nothing"),
    ];

    private static void Begin(WaiterRegistry room, PollTargets table) =>
        WaiterSubscription.TryCreate(room, table, null, WaiterKind.Stream, null, [GenerationId.Parse("a", null), GenerationId.Parse("b", null)], CancellationToken.None)?.Dispose();

    private Task AssertNothingIsHeldAsync()
    {
        var services = _raw.Gateway.Services;
        var (room, table, gate) = (services.GetRequiredService<WaiterRegistry>(), services.GetRequiredService<PollTargets>(), services.GetRequiredService<UpstreamConcurrencyLimiter>());
        var allowances = services.GetRequiredService<ClientLimiters>();
        return Pump.EventuallyAsync(() => allowances.Present == 0 && room.Count == 0 && table.Count == 0 && table.IsEmpty && gate.Active == 0 && gate.Queued == 0);
    }

    /// <summary>Throws whenever a measurement of one instrument is told.</summary>
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
                throw new InvalidOperationException("A listener that throws.");
            });
            _listener.Start();
        }

        public bool Threw { get; private set; }

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>While they are on, every write of a response throws before it returns a task, as Kestrel's does once a stream was reset.</summary>
    private sealed class BrokenResponses : IStartupFilter
    {
        public bool AreOn { get; set; }

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(next => context =>
            {
                if (AreOn)
                {
                    context.Features.Set<IHttpResponseBodyFeature>(new Broken());
                }

                return next(context);
            });
            next(app);
        };
    }

    private sealed class Broken : PipeWriter, IHttpResponseBodyFeature
    {
        public Stream Stream => throw Gone();

        public PipeWriter Writer => this;

        public override void Advance(int bytes) => throw Gone();

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => throw Gone();

        public override Memory<byte> GetMemory(int sizeHint = 0) => throw Gone();

        public override Span<byte> GetSpan(int sizeHint = 0) => throw Gone();

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) => throw Gone();

        public Task CompleteAsync() => Task.CompletedTask;

        public void DisableBuffering()
        {
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw Gone();

        public Task StartAsync(CancellationToken cancellationToken = default) => throw Gone();

        private static OperationCanceledException Gone() => new("The stream was reset.");
    }
}
