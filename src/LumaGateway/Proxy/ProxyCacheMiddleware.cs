using System.Buffers;
using System.IO.Compression;
using LumaGateway.Contracts;
using LumaGateway.Generations;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Proxy;

/// <summary>
/// Keeps the slim read in step with what passes: a finished generation that passes is learnt from a copy, one that is deleted is forgotten on
/// all replicas before its caller hears of it. What passes is not changed by a byte.
/// </summary>
internal sealed partial class ProxyCacheMiddleware(
    RequestDelegate next, GenerationReader reader, UpstreamDialect dialect, IOptions<LumaOptions> luma, ILogger<ProxyCacheMiddleware> logger)
{
    private const string Prefix = "/luma/";

    /// <summary>RFC 9211: the request went on because of its method, and what became of the cached answer.</summary>
    private const string Forgotten = "LumaGateway; fwd=method; detail=purged";

    private const string NotYetForgotten = "LumaGateway; fwd=method; detail=purge_pending";

    public Task InvokeAsync(HttpContext context)
    {
        var method = context.Request.Method;
        var path = RoutePath.Of(context);
        if (!GenerationId.TryParse(path[(path.LastIndexOf('/') + 1)..], null, out var id)
            || !path.Equals(Prefix + dialect.Configured.PathOf(id), StringComparison.OrdinalIgnoreCase))
        {
            return next(context);
        }

        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method) && !HttpMethods.IsOptions(method))
        {
            return ForgetAsync(context, id); // RFC 9111, section 4.4: an unsafe method invalidates
        }

        return HttpMethods.IsGet(method) && reader.BeginLearning(id) is { } begun ? LearnAsync(context, id, begun) : next(context);
    }

    private async Task LearnAsync(HttpContext context, GenerationId id, FetchStart begun)
    {
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var copy = new TeeStream(body.Stream, luma.Value.MaxBodyBytes);
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(copy, body));
        try
        {
            await next(context);
        }
        finally
        {
            context.Features.Set(body);
        }

        if (context.Response.StatusCode is StatusCodes.Status200OK && context.Features.Get<IForwarderErrorFeature>() is null
            && copy.Whole is { Length: > 0 } passed && await DecodeAsync(passed, context) is { } plain)
        {
            await context.Response.CompleteAsync(); // nobody waits for what is learnt
            await reader.LearnAsync(id, plain, begun);
        }
    }

    private async Task ForgetAsync(HttpContext context, GenerationId id)
    {
        var forgotten = false;
        context.Response.OnStarting(ForgetOnceAsync);
        try
        {
            await next(context);
        }
        finally
        {
            await ForgetOnceAsync(); // also where the caller has left and no answer starts
        }

        async Task ForgetOnceAsync()
        {
            var refused = context.Response.StatusCode is >= 400 and < 500 and not (StatusCodes.Status404NotFound or StatusCodes.Status410Gone);
            if (!forgotten && !refused)
            {
                forgotten = true;
                var isConfirmed = await reader.ForgetAsync(id);
                if (!isConfirmed)
                {
                    Log.NotForgotten(logger);
                }

                if (!context.Response.HasStarted)
                {
                    context.Response.Headers["Cache-Status"] = isConfirmed ? Forgotten : NotYetForgotten;
                }
            }
        }
    }

    /// <summary>
    /// Null where the encoding is unknown, the bytes are not in it, or what comes out is larger than <c>Luma:MaxBodyBytes</c>: decoding stops there, since a
    /// few bytes can stand for any number. It also stops when the connection ends.
    /// </summary>
    private async Task<ReadOnlyMemory<byte>?> DecodeAsync(ReadOnlyMemory<byte> body, HttpContext context)
    {
        var encoding = context.Response.Headers.ContentEncoding.ToString();
        using var encoded = new MemoryStream(body.ToArray());
        await using Stream? decoder = encoding.Trim().ToLowerInvariant() switch
        {
            "gzip" or "x-gzip" => // RFC 9110, section 8.4.1.3
                new GZipStream(encoded, CompressionMode.Decompress),
            "br" => new BrotliStream(encoded, CompressionMode.Decompress),
            "deflate" => new ZLibStream(encoded, CompressionMode.Decompress),
            _ => null,
        };
        if (decoder is null)
        {
            return encoding is "" or "identity" ? body : null;
        }

        var plain = new ArrayBufferWriter<byte>();
        try
        {
            while (await decoder.ReadAsync(plain.GetMemory(4096), context.RequestAborted) is > 0 and var read)
            {
                plain.Advance(read);
                if (plain.WrittenCount > luma.Value.MaxBodyBytes)
                {
                    return null;
                }
            }

            return plain.WrittenMemory;
        }
        catch (Exception exception) when (exception is InvalidDataException or OperationCanceledException)
        {
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4311, LogLevel.Warning, "A generation was deleted, but Redis did not confirm that its cached answer is forgotten. The purge is repeated until it does; other replicas may serve the answer until then.")]
        public static partial void NotForgotten(ILogger logger);
    }
}
