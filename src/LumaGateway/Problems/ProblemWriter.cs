using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Telemetry;

namespace LumaGateway.Problems;

/// <summary>Writes problems: the one place where a refusal becomes bytes. The framework's own refusals come here too.</summary>
internal sealed class ProblemWriter : IProblemDetailsWriter
{
    public const string ContentType = "application/problem+json";

    /// <summary>Seconds to stay away where the upstream named none.</summary>
    private const int DefaultRetryAfter = 1;

    private const int LongestRetryAfter = 60;

    public bool CanWrite(ProblemDetailsContext context) => true;

    /// <summary>The framework's way in: a status without a body becomes its row, or the row that the endpoint has for it.</summary>
    public ValueTask WriteAsync(ProblemDetailsContext context)
    {
        var http = context.HttpContext;
        var status = http.Response.StatusCode;
        var denial = http.Features.Get<Denial>();
        var kind = denial?.Reason is RefusalReason.IssuerUnavailable ? ProblemKinds.IssuerUnavailable
            : status is StatusCodes.Status400BadRequest && http.GetEndpoint()?.Metadata.GetMetadata<InvalidInput>() is { } input ? input.Kind
            : ProblemKinds.Of(status);

        return new ValueTask(WriteAsync(http, kind, denial?.Detail));
    }

    /// <summary>Writes a problem in place of whatever was about to be answered.</summary>
    /// <param name="context">The request. Its response must not have started.</param>
    /// <param name="kind">The row of the table.</param>
    /// <param name="detail">What happened this time; the row's own words where null.</param>
    /// <param name="retryAfter">How long to stay away, for the kinds that come with <c>Retry-After</c>; bounded to 1–60 s.</param>
    public static Task WriteAsync(HttpContext context, ProblemKind kind, string? detail = null, TimeSpan? retryAfter = null)
    {
        var response = context.Response;
        response.StatusCode = kind.Status;
        response.Headers[RequestId.Header] = context.TraceIdentifier; // the exception handler has cleared it, and the next
        SecurityHeaders.Set(context);
        response.Headers.ETag = default;
        response.ContentType = ContentType;

        if (kind.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable
            || (kind.Status is StatusCodes.Status409Conflict && retryAfter is not null))
        {
            // Who refused with a status alone said how long in the header.
            var asked = retryAfter?.TotalSeconds ?? (double.TryParse(response.Headers.RetryAfter, CultureInfo.InvariantCulture, out var sent) ? sent : DefaultRetryAfter);
            var seconds = (int)Math.Ceiling(Math.Min(asked, LongestRetryAfter));
            response.Headers.RetryAfter = Math.Max(1, seconds).ToString(CultureInfo.InvariantCulture);
        }

        if (kind.Status is StatusCodes.Status401Unauthorized && response.Headers.WWWAuthenticate.Count == 0)
        {
            response.Headers.WWWAuthenticate = AccessMiddleware.Challenge;
        }

        if (kind.IsForOperators)
        {
            response.Headers["x-should-retry"] = "false"; // obeyed by Luma's official SDKs
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(Describe(context, kind, detail), ContractsJson.Web.Problem);
        response.ContentLength = body.Length;

        // Without the caller's token: writing to a connection that is gone does nothing, and a cancellation here would be logged as an unhandled exception.
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body, CancellationToken.None).AsTask();
    }

    /// <summary>The problem as it would be written, for answers that hold several.</summary>
    public static Problem Describe(HttpContext context, ProblemKind kind, string? detail = null) => new(
        kind.Type,
        kind.Title,
        kind.Status,
        detail ?? kind.Detail,
        context.Request.PathBase.Add(context.Request.Path).ToUriComponent(),
        kind.Code,
        context.TraceIdentifier,
        Activity.Current?.TraceId.ToHexString());
}

/// <summary>Endpoint metadata: which row a 400 of this endpoint is.</summary>
internal sealed record InvalidInput(ProblemKind Kind);
