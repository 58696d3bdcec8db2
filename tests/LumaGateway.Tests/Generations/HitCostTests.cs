using System.IO.Pipelines;
using LumaGateway.Generations;
using LumaGateway.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace LumaGateway.Tests.Generations;

/// <summary>What a hit costs, in numbers that are the same on every machine.</summary>
[Collection(RunsAlone.Name)]
public sealed class HitCostTests : IAsyncLifetime
{
    private readonly Gateway _gateway = new Gateway()
        .With("Limits:RequestsPerSecond", "1000000")
        .With("Limits:Burst", "10000000") // the clock stands still
        .With("Management:Port", "1"); // metrics are collected

    private readonly FeatureCollection _features = new();
    private DefaultHttpContext _context = null!;
    private HitMiddleware _hits = null!;
    private int _passedOn;

    public async ValueTask InitializeAsync()
    {
        _gateway.Upstream.ThenJson(Samples.Completed);
        using var caller = _gateway.CreateCaller();
        using var miss = await caller.AskAsync($"/generations/{Samples.CompletedId}");

        // What the server and routing give; all of it is used again and again, as Kestrel does.
        _features.Set<IHttpRequestFeature>(new HttpRequestFeature { Method = "GET", Path = $"/generations/{Samples.CompletedId}" });
        _features.Set<IHttpResponseFeature>(new HttpResponseFeature { Headers = new ResponseHeaders() });
        _features.Set<IHttpResponseBodyFeature>(new Discarding());
        _context = new DefaultHttpContext(_features) { TraceIdentifier = "made-by-the-server" };
        _context.Request.Headers["X-Api-Key"] = Gateway.Key;
        _context.Request.RouteValues["id"] = Samples.CompletedId;
        _context.SetEndpoint(_gateway.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints)
            .Single(endpoint => endpoint.Metadata.GetMetadata<MayBeHit>() is not null));
        _hits = ActivatorUtilities.CreateInstance<HitMiddleware>(_gateway.Services, (RequestDelegate)(_ =>
        {
            _passedOn++;
            return Task.CompletedTask;
        }));
    }

    public ValueTask DisposeAsync()
    {
        Assert.Equal(0, _passedOn);
        return _gateway.DisposeAsync();
    }

    [Fact]
    public void A_hit_allocates_nothing()
    {
        Assert.Equal(0, BytesOfAThousand());
        Assert.Equal(StatusCodes.Status200OK, _context.Response.StatusCode);
    }

    [Fact]
    public void A_hit_that_is_not_modified_allocates_nothing()
    {
        Ask(1);
        _context.Request.Headers.IfNoneMatch = _context.Response.Headers.ETag;

        Assert.Equal(0, BytesOfAThousand());
        Assert.Equal(StatusCodes.Status304NotModified, _context.Response.StatusCode);
    }

    [Fact]
    public void A_hit_looks_at_each_header_once()
    {
        var counted = new CountedHeaders { ["X-Api-Key"] = Gateway.Key };
        _features.Get<IHttpRequestFeature>()!.Headers = counted;

        Ask(1);

        Assert.Equal(["Authorization", "If-None-Match", "Prefer", "X-Api-Key", "X-Request-Id"], counted.Asked.Order());
    }

    private long BytesOfAThousand() => Allocations.LeastOf(() => Ask(1000));

    /// <summary>As the server does, with an empty response each time.</summary>
    private void Ask(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _context.Response.Headers.Clear();
            Assert.True(_hits.InvokeAsync(_context).IsCompletedSuccessfully);
        }
    }

    /// <summary>Keeps the length as a number, as Kestrel does.</summary>
    private sealed class ResponseHeaders : HeaderDictionary, IHeaderDictionary
    {
        long? IHeaderDictionary.ContentLength { get; set; }
    }

    /// <summary>Notes every header that is looked for.</summary>
    private sealed class CountedHeaders : HeaderDictionary, IHeaderDictionary
    {
        public List<string> Asked { get; } = [];

        StringValues IHeaderDictionary.this[string key]
        {
            get
            {
                Asked.Add(key);
                return this[key];
            }
            set => this[key] = value;
        }

        bool IDictionary<string, StringValues>.ContainsKey(string key)
        {
            Asked.Add(key);
            return ContainsKey(key);
        }
    }

    /// <summary>A body that goes nowhere, at once.</summary>
    private sealed class Discarding : PipeWriter, IHttpResponseBodyFeature
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
