using LumaGateway.Problems;
using LumaGateway.Proxy.Idempotency;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace LumaGateway.Proxy;

/// <summary>
/// Forwards the headers of two allow-lists, one for requests and one for responses, and no reason phrase. Replaces the upstream's 401, 402 and 403 with a problem, because they
/// concern the gateway's account and not the caller.
/// </summary>
/// <remarks>
/// YARP's own allow-lists (AddRequestHeadersAllowed, AddResponseHeadersAllowed) do not fit: they forward a caller's non-ASCII bytes in another encoding, fail the
/// response if a value contains a control character, and append the upstream's <c>Cache-Control</c> to the gateway's.
/// </remarks>
internal sealed class UpstreamTransformProvider(UpstreamAccounts accounts, AccountChooser chooser, TimeProvider clock) : ITransformProvider
{
    private const string RateLimitPrefix = "X-RateLimit-";

    private static readonly string[] RequestHeaders =
    [
        HeaderNames.Accept, HeaderNames.AcceptEncoding, HeaderNames.AcceptLanguage, HeaderNames.ContentType, HeaderNames.ContentEncoding,
        HeaderNames.ContentLength, HeaderNames.IfMatch, HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince, HeaderNames.IfUnmodifiedSince, HeaderNames.IfRange,
        HeaderNames.Range, HeaderNames.UserAgent,
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

    /// <summary>Copies the allowed headers of the caller to the upstream's request.</summary>
    internal static void CopyRequestHeaders(RequestTransformContext context)
    {
        foreach (var name in RequestHeaders)
        {
            if (HeaderBytes.OfRequest(context.HttpContext.Request, name) is { Count: > 0 } values)
            {
                RequestTransform.AddHeader(context, name, values);
            }
        }
    }

    /// <summary>Copies the allowed headers of the upstream to the caller's response, which no shared cache may store.</summary>
    internal static void CopyResponseHeaders(HttpResponseMessage upstream, HttpResponse response)
    {
        HeaderBytes.Copy(upstream, response, ResponseHeaders);
        HeaderBytes.Copy(upstream, response, RateLimitHeadersOf(upstream));

        // The response was authorized for this caller only, so no shared cache may store it, whatever the upstream allows.
        if (!response.Headers.CacheControl.ToString().Contains("no-store", StringComparison.OrdinalIgnoreCase))
        {
            response.Headers.CacheControl = "private, no-cache";
        }
    }

    private ValueTask TransformRequestAsync(RequestTransformContext context)
    {
        CopyRequestHeaders(context);
        RequestTransform.AddHeader(context, RequestId.Header, context.HttpContext.TraceIdentifier);

        var progress = new SendProgress();
        context.ProxyRequest.Options.Set(SendProgress.Key, progress);
        context.HttpContext.Features.Set(progress);
        context.HttpContext.Features.Get<ProxyAccount>()?.MarkSent();
        if (accounts.Only is null)
        {
            var account = ProxyAccount.Of(context.HttpContext) ?? throw new InvalidOperationException("No account was chosen for the request.");
            context.ProxyRequest.RequestUri = RequestUtilities.MakeDestinationAddress(account.Root.AbsoluteUri, context.Path, context.Query.QueryString);
            context.ProxyRequest.Options.Set(AccountHandler.Key, account);
        }

        return default;
    }

    /// <summary>The upstream's limits for the gateway's account, such as <c>X-RateLimit-Remaining</c>. Upstreams name them differently.</summary>
    private static string[] RateLimitHeadersOf(HttpResponseMessage response)
    {
        List<string>? names = null;
        foreach (var (name, _) in response.Headers.NonValidated)
        {
            if (name.StartsWith(RateLimitPrefix, StringComparison.OrdinalIgnoreCase))
            {
                (names ??= []).Add(name);
            }
        }

        return names?.ToArray() ?? [];
    }

    /// <summary>
    /// Records that the upstream refused the account. Returns true if the caller does not get this response: a create moves to another account, or a problem replaces the response.
    /// </summary>
    private async ValueTask<bool> HandleRefusalAsync(ResponseTransformContext context, UpstreamAccount account, UpstreamFault fault)
    {
        var choice = context.HttpContext.Features.Get<ProxyAccount>();
        var isDistributed = choice is { IsChosen: true };
        if (fault is UpstreamFault.Throttled && !isDistributed)
        {
            return false; // it concerns this caller, who retries
        }

        account.RecordRefusal(fault, RetryAfterHeader.Of(context.ProxyResponse!, clock));
        if (isDistributed && choice!.TryMove(chooser))
        {
            context.SuppressResponseBody = true; // CreateDistributionMiddleware sends the create to the next account
            return true;
        }

        if (fault is UpstreamFault.Throttled)
        {
            return false;
        }

        context.SuppressResponseBody = true;
        context.HttpContext.Features.Set(new AccountRefused());
        await ProblemWriter.WriteAsync(context.HttpContext, ProblemKinds.Of(fault));
        return true;
    }

    private async ValueTask TransformResponseAsync(ResponseTransformContext context)
    {
        if (context.ProxyResponse is not { } response)
        {
            return;
        }

        ForeignReasonPhrase.Remove(context.HttpContext);

        var isCreate = response.RequestMessage?.Method == HttpMethod.Post;
        var outcome = CreateOutcomes.FromResponse(response);
        if (isCreate)
        {
            context.HttpContext.Features.Set(new CreateOutcomeFeature(outcome));
        }

        var account = ProxyAccount.Of(context.HttpContext)!;
        if (CreateRefusal.Of(response.StatusCode) is { } fault && await HandleRefusalAsync(context, account, fault))
        {
            return;
        }

        if (response.IsSuccessStatusCode)
        {
            account.Acceptance.MarkAccepted();
        }

        context.HttpContext.Features.Get<IStatusCodePagesFeature>()?.Enabled = false; // an error without a body is forwarded too
        CopyResponseHeaders(response, context.HttpContext.Response);
        if (isCreate && outcome is CreateOutcome.Unknown)
        {
            ShouldRetryHeader.SetFalse(context.HttpContext.Response); // an SDK would retry a POST that may have been billed
        }
    }
}

/// <summary>Request feature: the upstream refused the account, so it did not run the request, and a problem replaces its response.</summary>
internal sealed class AccountRefused;
