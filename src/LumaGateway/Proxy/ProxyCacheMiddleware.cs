using System.Buffers;
using LumaGateway.Caching;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Problems;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Keeps the cache of <c>GET /generations/{id}</c> consistent with requests under <c>/luma</c>. A GET response with a final state is cached from a copy. An unsafe
/// method purges the generation on all replicas before its response starts. Forwarded bytes are not changed.
/// </summary>
internal sealed partial class ProxyCacheMiddleware(
    RequestDelegate next, GenerationReader reader, ResponseCache cache, IOptions<LumaOptions> luma, ILogger<ProxyCacheMiddleware> logger)
{
    private const string Prefix = "/luma/";

    /// <summary>Values of <c>Cache-Status</c> (RFC 9211): forwarded because of the method, and the state of the purge.</summary>
    private const string Purged = "LumaGateway; fwd=method; detail=purged";

    private const string PurgePending = "LumaGateway; fwd=method; detail=purge_pending";

    public Task InvokeAsync(HttpContext context)
    {
        var method = context.Request.Method;
        var path = CanonicalPath.Of(context);
        if (!GenerationId.TryParse(path[(path.LastIndexOf('/') + 1)..], null, out var id)
            || ProxyAccount.Of(context) is not { } account || !path.Equals(Prefix + account.Dialect.PathOf(id), StringComparison.OrdinalIgnoreCase))
        {
            return next(context);
        }

        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !HttpMethods.IsOptions(method))
        {
            return PurgeAsync(context, id); // RFC 9111, section 4.4: an unsafe method invalidates
        }

        return HttpMethods.IsGet(method) && reader.StartFetchUnlessFinal(id) is { } start ? CacheResponseAsync(context, id, account, start) : next(context);
    }

    private async Task CacheResponseAsync(HttpContext context, GenerationId id, UpstreamAccount account, FetchStart start)
    {
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var tee = new TeeStream(body.Stream, luma.Value.MaxBodyBytes);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(tee, body));
        try
        {
            await next(context);
        }
        finally
        {
            context.Features.Set(body);
        }

        if (context.Response.StatusCode is StatusCodes.Status200OK && context.Features.Get<IForwarderErrorFeature>() is null
            && tee.Copy is { Length: > 0 } copy && await DecompressAsync(copy, context) is { } json)
        {
            await context.Response.CompleteAsync(); // the caller does not wait for the cache
            await reader.StoreProxiedAsync(id, json, account, start);
        }
    }

    private async Task PurgeAsync(HttpContext context, GenerationId id)
    {
        var isPurged = false;
        context.Response.OnStarting(PurgeOnceAsync);
        try
        {
            await next(context);
        }
        finally
        {
            await PurgeOnceAsync(); // no response starts if the caller has disconnected
        }

        async Task PurgeOnceAsync()
        {
            if (!isPurged && MayHaveRun(context))
            {
                isPurged = true;
                var isConfirmed = await cache.PurgeAsync(id);
                if (!isConfirmed)
                {
                    Log.PurgeNotConfirmed(logger);
                }

                if (!context.Response.HasStarted)
                {
                    context.Response.Headers["Cache-Status"] = isConfirmed ? Purged : PurgePending;
                }
            }
        }
    }

    /// <summary>Whether the upstream may have run the request: it was sent, and neither the request nor the account was refused.</summary>
    private static bool MayHaveRun(HttpContext context) =>
        context.Features.Get<SendProgress>() is not null
        && context.Features.Get<IForwarderErrorFeature>()?.Exception is not UpstreamException // rejected by the gateway's own concurrency limit
        && context.Features.Get<AccountRefused>() is null
        && context.Response.StatusCode is not (>= 400 and < 500 and not (StatusCodes.Status404NotFound or StatusCodes.Status410Gone));

    /// <summary>
    /// Returns null if the encoding is unknown, the bytes are invalid, or the decompressed body exceeds <c>Luma:MaxBodyBytes</c>. Decompression stops at that limit
    /// (decompression bombs) and when the connection ends.
    /// </summary>
    private async Task<ReadOnlyMemory<byte>?> DecompressAsync(ReadOnlyMemory<byte> body, HttpContext context)
    {
        using var encoded = new MemoryStream(body.ToArray());
        await using var decoder = ContentDecoder.Decode(context.Response.Headers.ContentEncoding.ToString(), encoded);
        if (decoder is null || decoder == encoded)
        {
            return decoder is null ? null : body;
        }

        var decompressed = new ArrayBufferWriter<byte>();
        try
        {
            while (await decoder.ReadAsync(decompressed.GetMemory(4096), context.RequestAborted) is > 0 and var read)
            {
                decompressed.Advance(read);
                if (decompressed.WrittenCount > luma.Value.MaxBodyBytes)
                {
                    return null;
                }
            }

            return decompressed.WrittenMemory;
        }
        catch (Exception exception) when (ContentDecoder.IsDamage(exception) || exception is OperationCanceledException)
        {
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4311, LogLevel.Warning, "Redis did not confirm the purge of a deleted generation. The gateway repeats the purge until Redis confirms; other replicas may serve the cached response until then.")]
        public static partial void PurgeNotConfirmed(ILogger logger);
    }
}
