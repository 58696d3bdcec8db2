using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using Microsoft.Extensions.Options;

namespace LumaGateway.Upstreams;

/// <summary>
/// Sends creates and deletes to the upstream, each once. Throws <see cref="UpstreamException"/> if there is no response. The caller limits the time. Thread-safe.
/// </summary>
internal sealed class UpstreamSender(
    HttpClient http, UpstreamDialect dialect, UpstreamTokenSource tokens, IOptions<LumaOptions> options, UpstreamMetrics metrics, UpstreamAccountState account)
{
    private readonly string _root = options.Value.Root.AbsoluteUri;

    /// <summary>The dialect of the account.</summary>
    public IUpstreamDialect Dialect => dialect.Configured;

    /// <summary>Texts that no caller may see: the account's tokens and its host.</summary>
    public IReadOnlyList<string> Secrets => tokens.Current is { Secondary: { } secondary } both
        ? [both.Primary, secondary, options.Value.Root.Host]
        : [tokens.Current.Primary, options.Value.Root.Host];

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
        request.Options.Set(SendProgress.Key, progress);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, ContractsJson.Web.JsonNode));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        try
        {
            var response = await http.SendAsync(request, token);
            RecordAccount(response);
            return new UpstreamReply(response, UpstreamTransport.Parse(isSuccess: false, await response.Content.ReadAsByteArrayAsync(token)));
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw UpstreamTransport.Unreachable(exception);
        }
    }

    private void RecordAccount(HttpResponseMessage response)
    {
        if (UpstreamReply.AccountFaultOf(response) is { } fault)
        {
            metrics.RecordFault(fault);
            account.MarkRefused(fault);
        }
        else if (response.IsSuccessStatusCode)
        {
            account.MarkAccepted();
        }
    }
}

/// <summary>A response to a create or a delete.</summary>
/// <param name="Response">The response. Its body is read.</param>
/// <param name="Body">The JSON of the body; null if it is not JSON.</param>
internal sealed record UpstreamReply(HttpResponseMessage Response, JsonDocument? Body) : IDisposable
{
    /// <summary>The JSON of the body; Undefined if it is not JSON.</summary>
    public JsonElement Json => Body?.RootElement ?? default;

    /// <summary>The upstream's <c>Retry-After</c> in seconds; null if it has none.</summary>
    public TimeSpan? RetryAfter => Response.Headers.RetryAfter?.Delta;

    /// <summary>The fault of a status that is about the gateway's account; null for every other status.</summary>
    public static UpstreamFault? AccountFaultOf(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => UpstreamFault.TokenRefused,
        StatusCodes.Status402PaymentRequired => UpstreamFault.OutOfCredit,
        _ => null,
    };

    public void Dispose()
    {
        Body?.Dispose();
        Response.Dispose();
    }
}
