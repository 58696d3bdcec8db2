using System.IO.Pipelines;
using LumaGateway.Access;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Tests.Generations;

/// <summary>The allocations and header look-ups of a hit. They do not depend on the machine.</summary>
[Collection(RunsAlone.Name)]
public sealed class HitCostTests : IAsyncLifetime
{
    private readonly Gateway _gateway = new Gateway()
        .With("Limits:RequestsPerSecond", "1000000")
        .With("Limits:Burst", "10000000") // the fake clock does not refill the bucket
        .With("Management:Port", "1"); // metrics are collected

    private readonly FeatureCollection _features = new();
    private DefaultHttpContext _context = null!;
    private RequestDelegate _pipeline = null!;
    private int _passedOn;

    public async ValueTask InitializeAsync()
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        using var miss = await caller.SendGetAsync($"/generations/{Samples.CompletedId}");

        // What the server and routing provide. As in Kestrel, all requests reuse it.
        _features.Set<IHttpRequestFeature>(new HttpRequestFeature { Method = "GET", Path = $"/generations/{Samples.CompletedId}" });
        _features.Set<IHttpResponseFeature>(new HttpResponseFeature { Headers = new ResponseHeaders() });
        _features.Set<IHttpResponseBodyFeature>(new DiscardingBody());
        _context = new DefaultHttpContext(_features) { TraceIdentifier = "set-by-the-server" };
        _context.Request.Headers["X-Api-Key"] = Gateway.Key;
        _context.Request.RouteValues["id"] = Samples.CompletedId;
        _context.SetEndpoint(_gateway.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints)
            .Single(endpoint => endpoint.Metadata.GetMetadata<FastResponse>() is not null));
        var app = new ApplicationBuilder(_gateway.Services).UseRequestId().UseSecurityHeaders().UseAccess();
        app.Run(_ =>
        {
            _passedOn++;
            return Task.CompletedTask;
        });
        _pipeline = app.Build();
    }

    public ValueTask DisposeAsync()
    {
        Assert.Equal(0, _passedOn);
        return _gateway.DisposeAsync();
    }

    [Fact]
    public void A_hit_allocates_nothing()
    {
        Assert.Equal(0, BytesOfThousandRequests());
        Assert.Equal(StatusCodes.Status200OK, _context.Response.StatusCode);
    }

    [Fact]
    public void A_hit_with_304_allocates_nothing()
    {
        Send(1);
        _context.Request.Headers.IfNoneMatch = _context.Response.Headers.ETag;

        Assert.Equal(0, BytesOfThousandRequests());
        Assert.Equal(StatusCodes.Status304NotModified, _context.Response.StatusCode);
    }

    [Fact]
    public void A_hit_looks_up_each_header_once()
    {
        var headers = new RecordingHeaders { ["X-Api-Key"] = Gateway.Key };
        _features.Get<IHttpRequestFeature>()!.Headers = headers;

        Send(1);

        Assert.Equal(["Authorization", "If-None-Match", "Prefer", "X-Api-Key", "X-Request-Id"], headers.LookedUp.Order());
    }

    private long BytesOfThousandRequests() => Allocations.MinimumOf(() => Send(1000));

    /// <summary>Sends requests as the server does, with an empty response each time.</summary>
    private void Send(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _context.Response.Headers.Clear();
            Assert.True(_pipeline(_context).IsCompletedSuccessfully);
        }
    }

    /// <summary>Stores Content-Length as a number, as Kestrel does: the text would be an allocation.</summary>
    private sealed class ResponseHeaders : HeaderDictionary, IHeaderDictionary
    {
        long? IHeaderDictionary.ContentLength { get; set; }
    }

    /// <summary>Records every header look-up.</summary>
    private sealed class RecordingHeaders : HeaderDictionary, IHeaderDictionary
    {
        public List<string> LookedUp { get; } = [];

        StringValues IHeaderDictionary.this[string key]
        {
            get
            {
                LookedUp.Add(key);
                return this[key];
            }
            set => this[key] = value;
        }

        bool IDictionary<string, StringValues>.ContainsKey(string key)
        {
            LookedUp.Add(key);
            return ContainsKey(key);
        }
    }

    /// <summary>A body that discards its bytes synchronously.</summary>
    private sealed class DiscardingBody : PipeWriter, IHttpResponseBodyFeature
    {
        private readonly byte[] _memory = new byte[4096];

        public Stream Stream => Stream.Null;

        public PipeWriter Writer => this;

        public override void Advance(int bytes)
        {
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _memory;

        public override Span<byte> GetSpan(int sizeHint = 0) => _memory;

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) => default;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => default;

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task CompleteAsync() => Task.CompletedTask;
    }
}
