using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LumaGateway.Contracts;
using LumaGateway.Telemetry;

namespace LumaGateway.Problems;

/// <summary>Writes every problem response, including errors of the framework.</summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    public const string ContentType = "application/problem+json";

    /// <summary>RFC 6750, section 3. It has no error if the request has no credential.</summary>
    public const string Challenge = "Bearer realm=\"LumaGateway\"";

    /// <summary>Seconds, if the upstream sent no <c>Retry-After</c>.</summary>
    private const int DefaultRetryAfter = 1;

    private const int MaxRetryAfter = 60;

    public bool CanWrite(ProblemDetailsContext context) => true;

    /// <summary>Called by the framework for a status without a body.</summary>
    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var status = http.Response.StatusCode;
        var refusal = http.Features.Get<Refusal>();
        var kind = refusal?.Reason is RefusalReason.IssuerUnavailable ? ProblemKinds.IssuerUnavailable
            : status is StatusCodes.Status400BadRequest && http.GetEndpoint()?.Metadata.GetMetadata<InvalidInput>() is { } input ? input.Kind
            : ProblemKinds.Of(status);

        return new ValueTask(WriteAsync(http, kind, refusal?.Detail));
    }

    /// <summary>Writes a problem instead of the response.</summary>
    /// <param name="context">The request. Its response must not have started.</param>
    /// <param name="kind">The row of the table.</param>
    /// <param name="detail">The detail; null for the default of the kind.</param>
    /// <param name="retryAfter"><c>Retry-After</c> for 429, 503 and 409, limited to 1–60 s.</param>
    /// <param name="errors">Reasons by field, for a refused body.</param>
    public static Task WriteAsync(
        HttpContext context, ProblemKind kind, string? detail = null, TimeSpan? retryAfter = null, IReadOnlyDictionary<string, IReadOnlyList<string>>? errors = null)
    {
        var response = context.Response;
        response.StatusCode = kind.Status;
        response.Headers[RequestId.Header] = context.TraceIdentifier; // the exception handler clears all headers
        SecurityHeaders.Set(context);
        response.Headers.ETag = default;
        response.ContentType = ContentType;

        if (kind.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable
            || (kind.Status is StatusCodes.Status409Conflict && retryAfter is not null))
        {
            var requested = retryAfter?.TotalSeconds ?? (double.TryParse(response.Headers.RetryAfter, CultureInfo.InvariantCulture, out var sent) ? sent : DefaultRetryAfter);
            var seconds = (int)Math.Ceiling(Math.Min(requested, MaxRetryAfter));
            response.Headers.RetryAfter = Math.Max(1, seconds).ToString(CultureInfo.InvariantCulture);
        }

        if (kind.Status is StatusCodes.Status401Unauthorized && response.Headers.WWWAuthenticate.Count == 0)
        {
            response.Headers.WWWAuthenticate = Challenge;
        }

        if (kind.ForbidsRetry)
        {
            response.Headers["x-should-retry"] = "false"; // obeyed by Luma's official SDKs
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(CreateProblem(context, kind, detail) with { Errors = errors }, ContractsJson.Web.Problem);
        response.ContentLength = body.Length;

        // No cancellation token: a write to a closed connection does nothing, and a cancellation here would be logged as an unhandled exception.
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, CancellationToken.None).AsTask();
    }

    /// <summary>Creates the problem without writing it, for responses with several problems.</summary>
    public static Problem CreateProblem(HttpContext context, ProblemKind kind, string? detail = null) => new(
        kind.Type,
        kind.Title,
        kind.Status,
        detail ?? kind.Detail,
        context.Request.PathBase.Add(context.Request.Path).ToUriComponent(),
        kind.Code,
        context.TraceIdentifier,
        Activity.Current?.TraceId.ToHexString());
}

/// <summary>Endpoint metadata: the problem kind for a 400 of the endpoint.</summary>
internal sealed record InvalidInput(ProblemKind Kind);
