using System.Net;
using System.Text.Json;
using LumaGateway.Contracts;

namespace LumaGateway.Client;

/// <summary>A call that failed: the gateway's problem, or no usable response. The message contains no key and no address.</summary>
public sealed class LumaGatewayException : Exception
{
    /// <summary>The <see cref="Code"/> if no response arrived, or a part of one.</summary>
    public const string Unreachable = "gateway_unreachable";

    /// <summary>The <see cref="Code"/> if no response arrived within the limit.</summary>
    public const string TimedOut = "gateway_timed_out";

    /// <summary>The <see cref="Code"/> of a response that the gateway did not write, such as an error page of a proxy.</summary>
    public const string Unexpected = "unexpected_response";

    private const int MaxProblemBytes = 64 * 1024; // a problem has a few hundred

    internal LumaGatewayException(string code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>The kind of the problem, such as <c>generation_not_found</c>: the gateway's <c>code</c>, or one of the constants of this class.</summary>
    public string Code { get; }

    /// <summary>The HTTP status; null if no response arrived.</summary>
    public HttpStatusCode? Status { get; internal init; }

    /// <summary>The gateway's id of the request, for a search in its logs.</summary>
    public string? RequestId { get; internal init; }

    /// <summary>When a retry makes sense; null if the gateway named no time.</summary>
    public TimeSpan? RetryAfter { get; internal init; }

    /// <summary>The gateway's problem (RFC 9457); null if there is none.</summary>
    public Problem? Problem { get; internal init; }

    /// <summary>The idempotency key of a create, to repeat it; null for other calls. A create that was sent may have created a generation although it failed.</summary>
    public string? IdempotencyKey { get; internal set; }

    /// <summary>
    /// Whether the same call may succeed later: 429, 502, 503, 504, no response, or a create that is in progress. The same create is one with the same
    /// <see cref="IdempotencyKey"/>. The client has retried the call for <see cref="LumaGatewayClientOptions.RetryFor"/>, a create for
    /// <see cref="LumaGatewayClientOptions.CreateRetryFor"/>.
    /// </summary>
    public bool IsTransient => !ForbidsRetry && (Code is Unreachable or TimedOut or "create_in_progress" || Status is
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout);

    internal bool ForbidsRetry { get; init; }

    internal static async Task<LumaGatewayException> OfAsync(HttpResponseMessage response, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var problem = await ReadProblemAsync(response, cancellationToken);
        var id = problem?.RequestId ?? HeaderOf(response, "X-Request-Id");
        return new LumaGatewayException(
            problem?.Code ?? Unexpected,
            problem is null ? $"The response {(int)response.StatusCode} is not one of the gateway." : $"{(int)response.StatusCode} {problem.Code}: {problem.Detail ?? problem.Title} (request {id})")
        {
            Status = response.StatusCode,
            Problem = problem,
            RequestId = id,
            RetryAfter = RetryAfterOf(response, now),
            ForbidsRetry = HeaderOf(response, "X-Should-Retry") is "false",
        };
    }

    /// <summary>Reads <c>Retry-After</c> (RFC 9110, section 10.2.3); null without a usable value.</summary>
    internal static TimeSpan? RetryAfterOf(HttpResponseMessage response, DateTimeOffset now) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > now ? date - now : TimeSpan.Zero,
        _ => null,
    };

    private static string? HeaderOf(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static async Task<Problem?> ReadProblemAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType is not "application/problem+json" || response.Content.Headers.ContentLength > MaxProblemBytes)
        {
            return null;
        }

        try
        {
            await response.Content.LoadIntoBufferAsync(MaxProblemBytes, cancellationToken);
            var problem = JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(cancellationToken), ContractsJson.Web.Problem);
            return problem?.Code is null ? null : problem;
        }
        catch (Exception exception) when (exception is JsonException or HttpRequestException or IOException)
        {
            return null;
        }
    }
}
