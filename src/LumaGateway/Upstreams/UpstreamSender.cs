using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>
/// Sends creates and deletes to an account, each once. Throws <see cref="UpstreamException"/> if there is no response. The caller limits the time. Thread-safe.
/// </summary>
internal sealed class UpstreamSender(HttpMessageInvoker http, UpstreamAccount account, LumaOptions options, TimeProvider clock)
{
    private readonly string _root = account.Root.AbsoluteUri;
    private readonly int _maxBodyBytes = options.MaxBodyBytes;

    /// <summary>Texts that no caller may see: the account's tokens and its host.</summary>
    public IReadOnlyList<string> Secrets => account.Tokens.Current is { Secondary: { } secondary } both
        ? [both.Primary, secondary, account.Root.Host]
        : [account.Tokens.Current.Primary, account.Root.Host];

    /// <summary>Returns the response, whatever its status.</summary>
    /// <param name="method">POST or DELETE.</param>
    /// <param name="path">The path below <c>Luma:BaseAddress</c>, without a leading slash.</param>
    /// <param name="body">The body; null for none.</param>
    /// <param name="requestId">Sent as <c>X-Request-Id</c>.</param>
    /// <param name="progress">Reports whether a POST may have reached the upstream.</param>
    /// <param name="token">Cancels the request.</param>
    public async Task<UpstreamReply> SendAsync(HttpMethod method, string path, JsonObject? body, string requestId, SendProgress progress, CancellationToken token)
    {
        using var request = new HttpRequestMessage(method, new Uri(_root + path));
        request.Headers.TryAddWithoutValidation("X-Request-Id", requestId);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", ContentDecoder.Accepted); // without it, the upstream may use an encoding that cannot be read
        request.Headers.TryAddWithoutValidation("User-Agent", UpstreamTransport.UserAgent);
        request.Options.Set(SendProgress.Key, progress);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, ContractsJson.Web.JsonNode));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        HttpResponseMessage? response = null;
        try
        {
            response = await http.SendAsync(request, token);
            using var content = await UpstreamTransport.ReadBodyAsync(response, _maxBodyBytes, token);
            var reply = new UpstreamReply(response, UpstreamTransport.Parse(isSuccess: false, content.Written.ToArray()), RetryAfterHeader.Of(response, clock));
            if (response.IsSuccessStatusCode)
            {
                account.Acceptance.MarkAccepted();
            }

            response = null; // the reply disposes of it
            return reply;
        }
        catch (InvalidDataException)
        {
            throw new UpstreamException(UpstreamFault.Malformed, "The response cannot be decompressed.");
        }
        catch (Exception exception) when (UpstreamTransport.IsConnectionFailure(exception, token))
        {
            throw UpstreamTransport.FaultOf(exception);
        }
        finally
        {
            response?.Dispose(); // otherwise an unread body keeps its connection
        }
    }
}

/// <summary>A response to a create or a delete.</summary>
/// <param name="Response">The response. Its body is read.</param>
/// <param name="Body">The JSON of the body; null if it is not JSON.</param>
/// <param name="RetryAfter">The upstream's <c>Retry-After</c>; null if it has none.</param>
internal sealed record UpstreamReply(HttpResponseMessage Response, JsonDocument? Body, TimeSpan? RetryAfter) : IDisposable
{
    /// <summary>The JSON of the body; Undefined if it is not JSON.</summary>
    public JsonElement Json => Body?.RootElement ?? default;

    public void Dispose()
    {
        Body?.Dispose();
        Response.Dispose();
    }
}
