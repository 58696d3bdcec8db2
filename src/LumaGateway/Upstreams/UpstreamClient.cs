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
/// Asks the upstream for one generation, or for a page of them, and reads the answer with the configured dialect. Throws <see cref="UpstreamException"/>
/// for everything that is no usable answer. Safe for concurrent use.
/// </summary>
internal sealed class UpstreamClient(
    HttpClient http,
    UpstreamPipeline pipeline,
    UpstreamDialect dialect,
    UpstreamConcurrencyLimiter gate,
    RetryAfterHold pause,
    IOptions<LumaOptions> options,
    UpstreamAccount account,
    UpstreamMetrics metrics,
    TimeProvider clock)
{
    private readonly IUpstreamDialect _dialect = dialect.Chosen;
    private readonly JsonDocumentOptions _json = new() { MaxDepth = options.Value.MaxDepth };
    private readonly int _maxBodyBytes = options.Value.MaxBodyBytes;
    private readonly Uri _root = options.Value.Root;

    /// <summary>Whether several generations can be asked about at once.</summary>
    public bool HasList => _dialect is IListingDialect;

    /// <param name="id">The generation.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>, so that the upstream's people find the call.</param>
    /// <param name="deadline">Ends the whole way, retries included.</param>
    public async Task<DialectResult> GetAsync(GenerationId id, string requestId, Deadline deadline)
    {
        var answer = await AskAsync(new Call<DialectResult>(_dialect.PathOf(id), (status, body) => _dialect.Read(id, status, body), requestId), deadline);
        metrics.Answered(answer);
        return answer;
    }

    /// <summary>One page of the account's generations, newest first. Only where <see cref="HasList"/>.</summary>
    /// <param name="limit">The page's length.</param>
    /// <param name="offset">How many newer ones to leave out.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>.</param>
    /// <param name="deadline">Ends the whole way, retries included.</param>
    public Task<DialectPage> ListAsync(int limit, int offset, string requestId, Deadline deadline)
    {
        var lists = (IListingDialect)_dialect;
        return AskAsync(new Call<DialectPage>(lists.PathOfList(limit, offset), lists.ReadList, requestId), deadline);
    }

    /// <summary>Asks what tells one kind of upstream from another, whichever is configured; the token goes as the configured one wants it.</summary>
    public Task<ProbeResult> ProbeAsync(DialectProbe probe, string requestId, Deadline deadline) =>
        AskAsync(new Call<ProbeResult>(probe.Path, (status, body) => ProbeResult.Read(probe, status, body), requestId), deadline);

    private async Task<TAnswer> AskAsync<TAnswer>(Call<TAnswer> call, Deadline deadline)
    {
        try
        {
            var answer = await pipeline.ExecuteAsync(call.Path, static (run, token) => run.client.TryAsync(run.call, token), (client: this, call), deadline);
            account.IsAccepted();
            return answer;
        }
        catch (UpstreamException exception)
        {
            metrics.Faulted(exception.Fault);
            if (exception.Fault is UpstreamFault.TokenRefused or UpstreamFault.OutOfCredit)
            {
                account.IsRefused(exception.Fault);
            }

            throw;
        }
    }

    /// <summary>Reads a 200 that the upstream gave somebody else. Throws <see cref="UpstreamException"/> where it is no usable answer.</summary>
    public DialectResult ReadPassed(GenerationId id, ReadOnlyMemory<byte> body)
    {
        using var document = Parse(isSuccess: true, body);
        return _dialect.Read(id, HttpStatusCode.OK, document!.RootElement);
    }

    private async Task<TAnswer> TryAsync<TAnswer>(Call<TAnswer> call, CancellationToken token)
    {
        using var span = call.Tries.Begin(_dialect.Name);
        try
        {
            return await AttemptAsync(call, token);
        }
        catch (Exception exception)
        {
            UpstreamAttempts.Fail(span, exception);
            throw;
        }
    }

    private async Task<TAnswer> AttemptAsync<TAnswer>(Call<TAnswer> call, CancellationToken token)
    {
        if (pause.Remaining is var left && left > TimeSpan.Zero)
        {
            throw new UpstreamException(UpstreamFault.Throttled, "The upstream asked to be left alone a while ago.") { RetryAfter = left };
        }

        using var place = await gate.EnterAsync(token);
        using var response = await SendAsync(call.Path, call.RequestId, token);
        return await ReadAsync(call, response, token);
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string requestId, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_root, path));
        request.Headers.TryAddWithoutValidation("X-Request-Id", requestId);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        metrics.Asked();
        try
        {
            return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        }
        catch (HttpRequestException exception)
        {
            throw Unreachable(exception);
        }
    }

    private async Task<TAnswer> ReadAsync<TAnswer>(Call<TAnswer> call, HttpResponseMessage response, CancellationToken token)
    {
        var body = await ReadBodyAsync(response, token);
        try
        {
            using var document = Parse(response.IsSuccessStatusCode, body.WrittenMemory);
            return call.Read(response.StatusCode, document?.RootElement ?? default);
        }
        catch (UpstreamException exception) when (RetryAfterOf(response) is { } wait
            && response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            pause.Open(wait);
            throw new UpstreamException(UpstreamFault.Throttled, exception.Message) { RetryAfter = wait };
        }
    }

    /// <summary>A refusal may come without JSON: its status says enough. An answer may not.</summary>
    private JsonDocument? Parse(bool isSuccess, ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body.Span.StartsWith("\uFEFF"u8) ? body[3..] : body, _json);
        }
        catch (JsonException)
        {
            return isSuccess ? throw new UpstreamException(UpstreamFault.Malformed, "The answer is not the JSON it should be.") : null;
        }
    }

    private async Task<ArrayBufferWriter<byte>> ReadBodyAsync(HttpResponseMessage response, CancellationToken token)
    {
        var body = new ArrayBufferWriter<byte>(4096);
        try
        {
            await using var stream = await PlainAsync(response.Content, token);
            while (await stream.ReadAsync(body.GetMemory(), token) is > 0 and var read)
            {
                body.Advance(read);
                if (body.WrittenCount > _maxBodyBytes)
                {
                    throw new UpstreamException(UpstreamFault.Malformed, "The answer is larger than Luma:MaxBodyBytes.");
                }
            }
        }
        catch (InvalidDataException)
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The answer could not be decompressed.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw Unreachable(exception);
        }

        return body;
    }

    /// <summary>The handler unpacks what it asked for, but does not know gzip by its old name (RFC 9110, section 8.4.1.3).</summary>
    private static async Task<Stream> PlainAsync(HttpContent content, CancellationToken token)
    {
        var stream = await content.ReadAsStreamAsync(token);
        return content.Headers.ContentEncoding is { Count: 1 } encodings && encodings.Single().Equals("x-gzip", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(stream, CompressionMode.Decompress)
            : stream;
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? header?.Date - clock.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    /// <summary>Without the cause: its message names the host.</summary>
    private static UpstreamException Unreachable(Exception cause)
    {
        var error = cause switch
        {
            HttpRequestException request => request.HttpRequestError,
            HttpIOException io => io.HttpRequestError,
            _ => HttpRequestError.Unknown,
        };
        return new UpstreamException(UpstreamFault.Unreachable, $"The exchange broke off: {error}.");
    }

    /// <summary>One question, whatever kind of answer it has.</summary>
    private sealed record Call<TAnswer>(string Path, Func<HttpStatusCode, JsonElement, TAnswer> Read, string RequestId)
    {
        public UpstreamAttempts Tries { get; } = new();
    }
}
