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
/// Forwards the headers of two allow-lists, one for requests and one for responses. Replaces the upstream's 401, 402 and 403 with a problem, because they
/// concern the gateway's account and not the caller.
/// </summary>
internal sealed class UpstreamTransformProvider(UpstreamMetrics metrics, UpstreamAccountState account) : ITransformProvider
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
        HeaderNames.LastModified, HeaderNames.RetryAfter, HeaderNames.Vary, "retry-after-ms", ShouldRetryHeader.Name,
    ];

    public void ValidateRoute(TransformRouteValidationContext context)
    {
        // The transforms do not depend on the route.
    }

    public void ValidateCluster(TransformClusterValidationContext context)
    {
        // The transforms do not depend on the cluster.
    }

    public void Apply(TransformBuilderContext context)
    {
        context.UseDefaultForwarders = false; // YARP's default X-Forwarded-* would disclose callers to the upstream
        context.CopyRequestHeaders = false;
        context.CopyResponseHeaders = false;
        context.CopyResponseTrailers = false;
        context.AddRequestTransform(TransformRequestAsync);
        context.AddResponseTransform(TransformResponseAsync);
    }

    private ValueTask TransformRequestAsync(RequestTransformContext context)
    {
        var requestHeaders = context.HttpContext.Request.Headers;
        foreach (var name in RequestHeaders)
        {
            if (requestHeaders.TryGetValue(name, out var values) && Sendable(values.Select(static value => HeaderBytes.OfCaller(value ?? string.Empty))) is { Count: > 0 } sendable)
            {
                RequestTransform.AddHeader(context, name, sendable);
            }
        }

        RequestTransform.AddHeader(context, RequestId.Header, context.HttpContext.TraceIdentifier);

        var progress = new SendProgress();
        context.ProxyRequest.Options.Set(SendProgress.Key, progress);
        context.HttpContext.Features.Set(progress);
        return default;
    }

    /// <summary>Removes values that HTTP servers and clients refuse to write: a value that cannot be sent must not fail the request.</summary>
    private static StringValues Sendable(IEnumerable<string> values) => values.Where(HeaderBytes.CanBeSent).ToArray();

    private async ValueTask TransformResponseAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } response)
        {
            return;
        }

        var isCreate = response.RequestMessage?.Method == HttpMethod.Post;
        var outcome = CreateOutcomes.FromResponse(response);
        if (isCreate)
        {
            context.HttpContext.Features.Set(new CreateOutcomeFeature(outcome));
        }

        UpstreamFault? accountFault = (int)response.StatusCode switch
        {
            StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => UpstreamFault.TokenRefused,
            StatusCodes.Status402PaymentRequired => UpstreamFault.OutOfCredit,
            _ => null,
        };
        if (accountFault is { } fault)
        {
            metrics.RecordFault(fault);
            account.MarkRefused(fault);
            context.SuppressResponseBody = true;
            await ProblemWriter.WriteAsync(context.HttpContext, ProblemKinds.Of(fault));
            return;
        }

        if (response.IsSuccessStatusCode)
        {
            account.MarkAccepted();
        }

        var headers = context.HttpContext.Response.Headers;
        foreach (var name in ResponseHeaders)
        {
            if (response.Headers.NonValidated.TryGetValues(name, out var values) || response.Content.Headers.NonValidated.TryGetValues(name, out values))
            {
                headers[name] = Sendable(values);
            }
        }

        // The response was authorized for this caller only, so no shared cache may store it, whatever the upstream allows.
        if (!headers.CacheControl.ToString().Contains("no-store", StringComparison.OrdinalIgnoreCase))
        {
            headers.CacheControl = "private, no-cache";
        }

        if (isCreate && outcome is CreateOutcome.Unknown)
        {
            ShouldRetryHeader.SetFalse(context.HttpContext.Response); // an SDK would retry a POST that may have been billed
        }
    }
}
