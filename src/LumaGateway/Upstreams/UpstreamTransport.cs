using System.Net;
using System.Text.Json;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using LumaGateway.Time;

namespace LumaGateway.Upstreams;

/// <summary>
/// Sends one GET to an account and reads the JSON of its response. Applies the limits on concurrency and size, and the upstream's <c>Retry-After</c>. Throws
/// <see cref="UpstreamException"/> if there is no usable response. Thread-safe.
/// </summary>
internal sealed class UpstreamTransport(HttpMessageInvoker http, UpstreamAccount account, LumaOptions options, TimeProvider clock)
{
    /// <summary>The responses of all known upstreams are nested at most ten deep.</summary>
    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 64 };

    public static readonly string UserAgent = $"LumaGateway/{Instrumentation.Version}";

    /// <summary>Half of an attempt, the least time that <see cref="UpstreamConcurrencyLimiter"/> leaves for the upstream. A timeout counts against the upstream only if it had this time.</summary>
    private readonly TimeSpan _fairShare = options.AttemptTimeout / 2;

    private readonly int _maxBodyBytes = options.MaxBodyBytes;
    private readonly string _root = account.Root.AbsoluteUri;

    /// <summary>Starts the deadline of a read, <c>Luma:Deadline</c>.</summary>
    public Deadline StartDeadline() => new(options.Deadline, clock);

    /// <param name="path">The path below <c>Luma:BaseAddress</c>, without a leading slash.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>.</param>
    /// <param name="read">Reads the status and the JSON. The JSON is undefined if an error response has none.</param>
    /// <param name="state">Passed to <paramref name="read"/>.</param>
    /// <param name="token">
    /// Cancels the request at the end of its time. That is <see cref="UpstreamFault.TimedOut"/> if the upstream had half of an attempt for it, else an <see cref="OperationCanceledException"/>.
    /// </param>
    public async Task<TResult> GetAsync<TState, TResult>(
        string path, string requestId, Func<TState, HttpStatusCode, JsonElement, TResult> read, TState state, CancellationToken token)
    {
        if (account.Hold.Remaining is var remaining && remaining > TimeSpan.Zero)
        {
            throw new UpstreamException(UpstreamFault.Throttled, "An earlier Retry-After of the upstream has not passed.") { RetryAfter = remaining };
        }

        using var lease = await account.Limiter.AcquireAsync(token);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_root + path));
        request.Headers.TryAddWithoutValidation("X-Request-Id", requestId);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", ContentDecoder.Accepted);
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        account.Metrics.RecordRequest();
        var sentAt = clock.GetTimestamp();
        try
        {
            using var response = await http.SendAsync(request, token);
            using var body = await ReadBodyAsync(response, _maxBodyBytes, token);
            return Read(read, state, response, body);
        }
        catch (InvalidDataException)
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The response cannot be decompressed.");
        }
        catch (Exception exception) when (IsConnectionFailure(exception, token))
        {
            throw FaultOf(exception);
        }
        catch (OperationCanceledException) when (clock.GetElapsedTime(sentAt) >= _fairShare)
        {
            throw new UpstreamException(UpstreamFault.TimedOut, "The upstream did not respond in time.");
        }
    }

    private TResult Read<TState, TResult>(Func<TState, HttpStatusCode, JsonElement, TResult> read, TState state, HttpResponseMessage response, PooledBody body)
    {
        try
        {
            using var document = Parse(response.IsSuccessStatusCode, body.Written);
            return read(state, response.StatusCode, document?.RootElement ?? default);
        }
        catch (UpstreamException exception) when (RetryAfterHeader.Of(response, clock) is { } delay
            && response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
        {
            account.Hold.Start(delay);
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

    /// <summary>Throws <see cref="InvalidDataException"/> if the body cannot be decompressed.</summary>
    public static async ValueTask<PooledBody> ReadBodyAsync(HttpResponseMessage response, int maxBytes, CancellationToken token)
    {
        var body = new PooledBody();
        try
        {
            var encoding = response.Content.Headers.NonValidated.TryGetValues("Content-Encoding", out var values) ? values.ToString() : "";
            var encoded = response.Content.ReadAsStream(token);
            await using var stream = ContentDecoder.Decode(encoding, encoded) ?? encoded; // an unknown encoding is not JSON, and of an error the status is enough
            while (await stream.ReadAsync(body.Free, token) is > 0 and var count)
            {
                body.Advance(count);
                if (body.Written.Length > maxBytes)
                {
                    throw new UpstreamException(UpstreamFault.Malformed, "The response is larger than Luma:MaxBodyBytes.");
                }
            }

            return body;
        }
        catch (Exception exception) when (ContentDecoder.IsDamage(exception))
        {
            body.Dispose();
            throw new InvalidDataException("The body is damaged.", exception);
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Whether the request failed because of its connection. SocketsHttpHandler ends a request at its ConnectTimeout as if it were cancelled, but the token is not.</summary>
    public static bool IsConnectionFailure(Exception exception, CancellationToken token) =>
        exception is HttpRequestException or IOException || (exception is OperationCanceledException && !token.IsCancellationRequested);

    /// <summary>Creates an exception without the inner exception, whose message contains the host.</summary>
    /// <param name="cause">The failure of the connection.</param>
    public static UpstreamException FaultOf(Exception cause)
    {
        if (cause is OperationCanceledException)
        {
            return new UpstreamException(UpstreamFault.TimedOut, "The connection was not established within Luma:AttemptTimeout.");
        }

        var error = cause switch
        {
            HttpRequestException request => request.HttpRequestError,
            HttpIOException io => io.HttpRequestError,
            _ => HttpRequestError.Unknown,
        };
        return new UpstreamException(UpstreamFault.Unreachable, $"The connection failed: {error}.");
    }
}
