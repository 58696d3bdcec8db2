using System.Buffers;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Time;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Reads one generation or a page of generations from the upstream, in the configured dialect. Throws <see cref="UpstreamException"/> if there is no
/// usable response. Thread-safe.
/// </summary>
internal sealed class UpstreamClient(
    HttpClient http,
    UpstreamPipeline pipeline,
    UpstreamDialect dialect,
    UpstreamConcurrencyLimiter limiter,
    RetryAfterHold hold,
    IOptions<LumaOptions> options,
    UpstreamAccountState account,
    UpstreamMetrics metrics,
    TimeProvider clock)
{
    private readonly IUpstreamDialect _dialect = dialect.Configured;
    private readonly JsonDocumentOptions _json = new() { MaxDepth = options.Value.MaxDepth };
    private readonly int _maxBodyBytes = options.Value.MaxBodyBytes;
    private readonly Uri _root = options.Value.Root;

    /// <summary>Whether <see cref="ListAsync"/> is supported.</summary>
    public bool SupportsList => _dialect is IListingDialect;

    /// <summary>Starts the deadline of a read, <c>Luma:Deadline</c>.</summary>
    public Deadline StartDeadline() => new(options.Value.Deadline, clock);

    /// <param name="id">The generation.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>, so that the upstream's operators can find the request.</param>
    /// <param name="deadline">The limit on the whole read, with all attempts.</param>
    public async Task<DialectResult> GetAsync(GenerationId id, string requestId, Deadline deadline)
    {
        var result = await ExecuteAsync(new UpstreamRead<DialectResult>(_dialect.PathOf(id), (status, body) => _dialect.Read(id, status, body), requestId), deadline);
        metrics.RecordResult(result);
        return result;
    }

    /// <summary>Reads a page of the account's generations, newest first. Requires <see cref="SupportsList"/>.</summary>
    /// <param name="limit">The length of the page.</param>
    /// <param name="offset">The number of newer generations to skip.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>.</param>
    /// <param name="deadline">The limit on the whole read, with all attempts.</param>
    public Task<DialectPage> ListAsync(int limit, int offset, string requestId, Deadline deadline)
    {
        var dialect = (IListingDialect)_dialect;
        return ExecuteAsync(new UpstreamRead<DialectPage>(dialect.PathOfList(limit, offset), dialect.ReadList, requestId), deadline);
    }

    /// <summary>Sends the probe of any dialect, with the token in the header of the configured dialect.</summary>
    public Task<ProbeResult> ProbeAsync(DialectProbe probe, string requestId, Deadline deadline) =>
        ExecuteAsync(new UpstreamRead<ProbeResult>(probe.Path, (status, body) => ProbeResult.Read(probe, status, body), requestId), deadline);

    private async Task<TResult> ExecuteAsync<TResult>(UpstreamRead<TResult> read, Deadline deadline)
    {
        try
        {
            var result = await pipeline.ExecuteAsync(read.Path, static (state, token) => state.client.AttemptAsync(state.read, token), (client: this, read), deadline);
            account.MarkAccepted();
            return result;
        }
        catch (UpstreamException exception)
        {
            metrics.RecordFault(exception.Fault);
            if (exception.Fault is UpstreamFault.TokenRefused or UpstreamFault.OutOfCredit)
            {
                account.MarkRefused(exception.Fault);
            }

            throw;
        }
    }

    /// <summary>Reads the body of a proxied response with status 200. Throws <see cref="UpstreamException"/> if it is not usable.</summary>
    public DialectResult ReadProxied(GenerationId id, ReadOnlyMemory<byte> body)
    {
        using var document = Parse(isSuccess: true, body);
        return _dialect.Read(id, HttpStatusCode.OK, document!.RootElement);
    }

    private async Task<TResult> AttemptAsync<TResult>(UpstreamRead<TResult> read, CancellationToken token)
    {
        using var span = read.Attempts.Start(_dialect.Name);
        try
        {
            return await ReadOnceAsync(read, token);
        }
        catch (Exception exception)
        {
            UpstreamAttempts.RecordFailure(span, exception);
            throw;
        }
    }

    private async Task<TResult> ReadOnceAsync<TResult>(UpstreamRead<TResult> read, CancellationToken token)
    {
        if (hold.Remaining is var remaining && remaining > TimeSpan.Zero)
        {
            throw new UpstreamException(UpstreamFault.Throttled, "An earlier Retry-After of the upstream has not passed.") { RetryAfter = remaining };
        }

        using var lease = await limiter.AcquireAsync(token);
        using var response = await SendAsync(read.Path, read.RequestId, token);
        return await ReadAsync(read, response, token);
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string requestId, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_root, path));
        request.Headers.TryAddWithoutValidation("X-Request-Id", requestId);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        metrics.RecordRequest();
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        }
        catch (HttpRequestException exception)
        {
            throw Unreachable(exception);
        }
    }

    private async Task<TResult> ReadAsync<TResult>(UpstreamRead<TResult> read, HttpResponseMessage response, CancellationToken token)
    {
        var body = await ReadBodyAsync(response, token);
        try
        {
            using var document = Parse(response.IsSuccessStatusCode, body.WrittenMemory);
            return read.Read(response.StatusCode, document?.RootElement ?? default);
        }
        catch (UpstreamException exception) when (RetryAfterOf(response) is { } delay
            && response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            hold.Start(delay);
            throw new UpstreamException(UpstreamFault.Throttled, exception.Message) { RetryAfter = delay };
        }
    }

    /// <summary>Returns null if an error response is not JSON: its status is enough. A successful response must be JSON.</summary>
    private JsonDocument? Parse(bool isSuccess, ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body, _json);
        }
        catch (JsonException)
        {
            return isSuccess ? throw new UpstreamException(UpstreamFault.Malformed, "The response is not JSON.") : null;
        }
    }

    private async Task<ArrayBufferWriter<byte>> ReadBodyAsync(HttpResponseMessage response, CancellationToken token)
    {
        var body = new ArrayBufferWriter<byte>(4096);
        try
        {
            await using var stream = await DecompressAsync(response.Content, token);
            while (await stream.ReadAsync(body.GetMemory(), token) is > 0 and var count)
            {
                body.Advance(count);
                if (body.WrittenCount > _maxBodyBytes)
                {
                    throw new UpstreamException(UpstreamFault.Malformed, "The response is larger than Luma:MaxBodyBytes.");
                }
            }
        }
        catch (InvalidDataException)
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The response cannot be decompressed.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw Unreachable(exception);
        }

        return body;
    }

    /// <summary>Decompresses <c>x-gzip</c>, the old name of gzip (RFC 9110, section 8.4.1.3). The HTTP handler decompresses the other encodings.</summary>
    private static async Task<Stream> DecompressAsync(HttpContent content, CancellationToken token)
    {
        var stream = await content.ReadAsStreamAsync(token);
        return content.Headers.ContentEncoding is { Count: 1 } encodings && encodings.Single().Equals("x-gzip", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(stream, CompressionMode.Decompress)
            : stream;
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var delay = header?.Delta ?? header?.Date - clock.GetUtcNow();
        return delay < TimeSpan.Zero ? TimeSpan.Zero : delay;
    }

    /// <summary>Creates an exception without the inner exception, whose message contains the host.</summary>
    private static UpstreamException Unreachable(Exception cause)
    {
        var error = cause switch
        {
            HttpRequestException request => request.HttpRequestError,
            HttpIOException io => io.HttpRequestError,
            _ => HttpRequestError.Unknown,
        };
        return new UpstreamException(UpstreamFault.Unreachable, $"The connection failed: {error}.");
    }

    /// <summary>One read, with all its attempts.</summary>
    private sealed record UpstreamRead<TResult>(string Path, Func<HttpStatusCode, JsonElement, TResult> Read, string RequestId)
    {
        public UpstreamAttempts Attempts { get; } = new();
    }
}
