using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using LumaGateway.Contracts;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Asks the upstream for one generation and reads the answer with the configured dialect. Throws <see cref="UpstreamException"/>
/// for everything that is no usable answer. Safe for concurrent use.
/// </summary>
internal sealed partial class UpstreamClient(
    HttpClient http,
    UpstreamPipeline pipeline,
    UpstreamDialect dialect,
    UpstreamGate gate,
    UpstreamPause pause,
    IOptions<LumaOptions> options,
    UpstreamMetrics metrics,
    TimeProvider clock,
    ILogger<UpstreamClient> logger)
{
    private readonly IUpstreamDialect _dialect = dialect.Chosen;
    private readonly JsonDocumentOptions _json = new() { MaxDepth = options.Value.MaxDepth };
    private readonly int _maxBodyBytes = options.Value.MaxBodyBytes;
    private readonly Uri _root = options.Value.Root;

    /// <param name="id">The generation.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>, so that the upstream's people find the call.</param>
    /// <param name="deadline">Ends the whole way, retries included.</param>
    public async Task<DialectAnswer> GetAsync(GenerationId id, string requestId, Deadline deadline)
    {
        try
        {
            var answer = await pipeline.ExecuteAsync(
                static (call, token) => call.client.TryAsync(call.id, call.requestId, call.tries, token),
                (client: this, id, requestId, tries: new UpstreamTries()),
                deadline);
            metrics.Answered(answer);
            Account(refusal: null);
            return answer;
        }
        catch (UpstreamException exception)
        {
            metrics.Faulted(exception.Fault);
            if (exception.Fault is UpstreamFault.TokenRefused or UpstreamFault.OutOfCredit)
            {
                Account(exception.Fault);
            }

            throw;
        }
    }

    private async Task<DialectAnswer> TryAsync(GenerationId id, string requestId, UpstreamTries tries, CancellationToken token)
    {
        using var span = tries.Begin(_dialect.Name);
        try
        {
            return await AttemptAsync(id, requestId, token);
        }
        catch (Exception exception)
        {
            UpstreamTries.Fail(span, exception);
            throw;
        }
    }

    private async Task<DialectAnswer> AttemptAsync(GenerationId id, string requestId, CancellationToken token)
    {
        if (pause.Remaining is var left && left > TimeSpan.Zero)
        {
            throw new UpstreamException(UpstreamFault.Throttled, "The upstream asked to be left alone a while ago.") { RetryAfter = left };
        }

        using var place = await gate.EnterAsync(token);
        using var response = await SendAsync(id, requestId, token);
        return await ReadAsync(id, response, token);
    }

    private async Task<HttpResponseMessage> SendAsync(GenerationId id, string requestId, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_root, _dialect.PathOf(id)));
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

    private async Task<DialectAnswer> ReadAsync(GenerationId id, HttpResponseMessage response, CancellationToken token)
    {
        var body = await ReadBodyAsync(response, token);
        try
        {
            using var document = Parse(response.IsSuccessStatusCode, body.WrittenMemory);
            return _dialect.Read(id, response.StatusCode, document?.RootElement ?? default);
        }
        catch (UpstreamException exception) when (RetryAfterOf(response) is { } wait
            && response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            pause.Open(wait);
            throw new UpstreamException(UpstreamFault.Throttled, exception.Message) { RetryAfter = wait };
        }
    }

    /// <summary>Said once when the upstream begins to refuse the account, and once when it no longer does; each refusal is counted.</summary>
    private void Account(UpstreamFault? refusal)
    {
        if (!metrics.AccountIs(refused: refusal is not null))
        {
            return; // no news
        }

        if (refusal is { } fault)
        {
            Log.AccountRefused(logger, fault);
        }
        else
        {
            Log.AccountAccepted(logger);
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
            await using var stream = await response.Content.ReadAsStreamAsync(token);
            while (await stream.ReadAsync(body.GetMemory(4096), token) is > 0 and var read)
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

    private static partial class Log
    {
        [LoggerMessage(3021, LogLevel.Error, "The upstream refuses the gateway's own account: {Fault}. Callers cannot mend this; the token or the credit must be renewed.")]
        public static partial void AccountRefused(ILogger logger, UpstreamFault fault);

        [LoggerMessage(3022, LogLevel.Information, "The upstream accepts the gateway's account again.")]
        public static partial void AccountAccepted(ILogger logger);
    }
}
