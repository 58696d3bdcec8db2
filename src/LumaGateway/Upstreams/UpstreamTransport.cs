using System.IO.Compression;
using System.Net;
using System.Text.Json;
using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Sends one GET to the upstream and reads the JSON of its response. Applies the limits on concurrency and size, and the upstream's <c>Retry-After</c>. Throws
/// <see cref="UpstreamException"/> if there is no usable response. Thread-safe.
/// </summary>
internal sealed class UpstreamTransport(
    HttpClient http, UpstreamConcurrencyLimiter limiter, RetryAfterHold hold, IOptions<LumaOptions> options, UpstreamMetrics metrics, TimeProvider clock)
{
    /// <summary>The responses of all known upstreams are nested at most ten deep.</summary>
    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 64 };

    private readonly int _maxBodyBytes = options.Value.MaxBodyBytes;
    private readonly string _root = options.Value.Root.AbsoluteUri;

    /// <summary>Starts the deadline of a read, <c>Luma:Deadline</c>.</summary>
    public Deadline StartDeadline() => new(options.Value.Deadline, clock);

    /// <param name="path">The path below <c>Luma:BaseAddress</c>, without a leading slash.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>.</param>
    /// <param name="read">Reads the status and the JSON. The JSON is undefined if an error response has none.</param>
    /// <param name="token">Cancels the request.</param>
    public async Task<TResult> GetAsync<TResult>(string path, string requestId, Func<HttpStatusCode, JsonElement, TResult> read, CancellationToken token)
    {
        if (hold.Remaining is var remaining && remaining > TimeSpan.Zero)
        {
            throw new UpstreamException(UpstreamFault.Throttled, "An earlier Retry-After of the upstream has not passed.") { RetryAfter = remaining };
        }

        using var lease = await limiter.AcquireAsync(token);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_root + path));
        request.Headers.TryAddWithoutValidation("X-Request-Id", requestId);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        metrics.RecordRequest();
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
            using var body = await ReadBodyAsync(response, token);
            return Read(read, response, body);
        }
        catch (InvalidDataException)
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The response cannot be decompressed.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw Unreachable(exception);
        }
    }

    private TResult Read<TResult>(Func<HttpStatusCode, JsonElement, TResult> read, HttpResponseMessage response, PooledBody body)
    {
        try
        {
            using var document = Parse(response.IsSuccessStatusCode, body.Written);
            return read(response.StatusCode, document?.RootElement ?? default);
        }
        catch (UpstreamException exception) when (RetryAfterOf(response) is { } delay
            && response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            hold.Start(delay);
            throw new UpstreamException(UpstreamFault.Throttled, exception.Message) { RetryAfter = delay };
        }
    }

    /// <summary>Returns null if an error response is not JSON: its status is enough. A successful response must be JSON.</summary>
    public static JsonDocument? Parse(bool isSuccess, ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body, Json);
        }
        catch (JsonException)
        {
            return isSuccess ? throw new UpstreamException(UpstreamFault.Malformed, "The response is not JSON.") : null;
        }
    }

    private async Task<PooledBody> ReadBodyAsync(HttpResponseMessage response, CancellationToken token)
    {
        var body = new PooledBody();
        try
        {
            await using var stream = await DecompressAsync(response.Content, token);
            while (await stream.ReadAsync(body.Free, token) is > 0 and var count)
            {
                body.Advance(count);
                if (body.Written.Length > _maxBodyBytes)
                {
                    throw new UpstreamException(UpstreamFault.Malformed, "The response is larger than Luma:MaxBodyBytes.");
                }
            }

            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Decompresses <c>x-gzip</c>, the old name of gzip (RFC 9110, section 8.4.1.3). The HTTP handler decompresses the other encodings.</summary>
    private static async ValueTask<Stream> DecompressAsync(HttpContent content, CancellationToken token)
    {
        var stream = await content.ReadAsStreamAsync(token);
        return content.Headers.ContentEncoding is { Count: 1 } encodings && encodings.Single().Equals("x-gzip", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(stream, CompressionMode.Decompress)
            : stream;
    }

    /// <summary>A date is compared with the response's own <c>Date</c>: the upstream's clock can differ from the gateway's.</summary>
    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var delay = header?.Delta ?? header?.Date - (response.Headers.Date ?? clock.GetUtcNow());
        return delay < TimeSpan.Zero ? TimeSpan.Zero : delay;
    }

    /// <summary>Creates an exception without the inner exception, whose message contains the host.</summary>
    public static UpstreamException Unreachable(Exception cause)
    {
        var error = cause switch
        {
            HttpRequestException request => request.HttpRequestError,
            HttpIOException io => io.HttpRequestError,
            _ => HttpRequestError.Unknown,
        };
        return new UpstreamException(UpstreamFault.Unreachable, $"The connection failed: {error}.");
    }
}
