using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace LumaGateway.Proxy;

/// <summary>
/// What changes on the way: headers pass by allow-list in both directions, and a refusal of the gateway's own account
/// becomes a problem, since no caller can mend it.
/// </summary>
internal sealed class UpstreamTransforms(UpstreamMetrics metrics, UpstreamAccountState account) : ITransformProvider
{
    private static readonly string[] RequestHeaders =
    [
        HeaderNames.Accept, HeaderNames.AcceptEncoding, HeaderNames.AcceptLanguage, HeaderNames.ContentType, HeaderNames.ContentEncoding,
        HeaderNames.ContentLength, HeaderNames.IfMatch, HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince, HeaderNames.Range, HeaderNames.UserAgent,
    ];

    private static readonly string[] ResponseHeaders =
    [
        HeaderNames.AcceptRanges, HeaderNames.CacheControl, HeaderNames.ContentDisposition, HeaderNames.ContentEncoding, HeaderNames.ContentLanguage,
        HeaderNames.ContentLength, HeaderNames.ContentRange, HeaderNames.ContentType, HeaderNames.Date, HeaderNames.ETag, HeaderNames.Expires,
        HeaderNames.LastModified, HeaderNames.RetryAfter, HeaderNames.Vary, "retry-after-ms", ShouldRetry.Header,
    ];

    public void ValidateRoute(TransformRouteValidationContext context)
    {
        // Nothing of the route is used.
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
        // Nothing of the cluster is used.
    }

    public void Apply(TransformBuilderContext context)
    {
        context.UseDefaultForwarders = false; // YARP's own X-Forwarded-* would tell the upstream of callers
        context.CopyRequestHeaders = false;
        context.CopyResponseHeaders = false;
        context.CopyResponseTrailers = false;
        context.AddRequestTransform(PrepareAsync);
        context.AddResponseTransform(AnswerAsync);
    }

    private ValueTask PrepareAsync(RequestTransformContext context)
    {
        var sent = context.HttpContext.Request.Headers;
        foreach (var name in RequestHeaders)
        {
            if (sent.TryGetValue(name, out var values) && Sendable(values.Select(static value => HeaderBytes.OfCaller(value ?? string.Empty))) is { Count: > 0 } passing)
            {
                RequestTransform.AddHeader(context, name, passing);
            }
        }

        RequestTransform.AddHeader(context, RequestId.Header, context.HttpContext.TraceIdentifier);

        var sending = new SendProgress();
        context.ProxyRequest.Options.Set(SendProgress.Key, sending);
        context.HttpContext.Features.Set(sending);
        return default;
    }

    /// <summary>The values that no server or client refuses to write: one that cannot be sent is left out, the exchange goes on.</summary>
    private static StringValues Sendable(IEnumerable<string> values) => values.Where(HeaderBytes.CanBeSent).ToArray();

    private async ValueTask AnswerAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } answer)
        {
            return;
        }

        var isCreate = answer.RequestMessage?.Method == HttpMethod.Post;
        var outcome = CreateOutcomes.Of(answer);
        if (isCreate)
        {
            context.HttpContext.Features.Set(new PassedCreate(outcome));
        }

        UpstreamFault? refusal = (int)answer.StatusCode switch
        {
            StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => UpstreamFault.TokenRefused,
            StatusCodes.Status402PaymentRequired => UpstreamFault.OutOfCredit,
            _ => null,
        };
        if (refusal is { } fault)
        {
            metrics.RecordFault(fault);
            account.MarkRefused(fault);
            context.SuppressResponseBody = true;
            await ProblemWriter.WriteAsync(context.HttpContext, ProblemKinds.Of(fault));
            return;
        }

        if (answer.IsSuccessStatusCode)
        {
            account.MarkAccepted();
        }

        var headers = context.HttpContext.Response.Headers;
        foreach (var name in ResponseHeaders)
        {
            if (answer.Headers.NonValidated.TryGetValues(name, out var values) || answer.Content.Headers.NonValidated.TryGetValues(name, out values))
            {
                headers[name] = Sendable(values);
            }
        }

        // Who may see it was decided for this caller alone: no shared cache may keep it, whatever the upstream thinks.
        if (!headers.CacheControl.ToString().Contains("no-store", StringComparison.OrdinalIgnoreCase))
        {
            headers.CacheControl = "private, no-cache";
        }

        if (isCreate && outcome is CreateOutcome.Unknown)
        {
            ShouldRetry.Forbid(context.HttpContext.Response); // an SDK would repeat a POST that may have been billed
        }
    }
}
