using LumaGateway.Problems;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Assets;

/// <summary>
/// Forwards ranges and conditions to the CDN, and the headers of the file to the caller; no other header of either side, and no reason phrase. A response that is an error, or
/// neither a video nor an image (<see cref="AssetMediaType"/>), becomes a problem.
/// </summary>
internal sealed class AssetTransformer(AssetDownload download) : HttpTransformer
{
    private static readonly string[] RequestHeaders =
    [
        HeaderNames.Accept, HeaderNames.Range, HeaderNames.IfRange, HeaderNames.IfMatch, HeaderNames.IfNoneMatch, HeaderNames.IfModifiedSince, HeaderNames.IfUnmodifiedSince,
    ];

    private static readonly string[] ResponseHeaders =
    [
        HeaderNames.AcceptRanges, HeaderNames.ContentEncoding, HeaderNames.ContentLength, HeaderNames.ContentRange, HeaderNames.ContentType,
        HeaderNames.ETag, HeaderNames.LastModified,
    ];

    public override ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        foreach (var name in RequestHeaders)
        {
            var values = HeaderBytes.OfRequest(httpContext.Request, name);

            // A server ignores Range of a HEAD, and may ignore it otherwise (RFC 9110, section 14.2). Several ranges would produce a multipart body, which is not a video.
            var isHeadRange = (name == HeaderNames.Range || name == HeaderNames.IfRange) && HttpMethods.IsHead(httpContext.Request.Method);
            var isSeveral = name == HeaderNames.Range && values.ToString().Contains(',', StringComparison.Ordinal);
            if (!isHeadRange && !isSeveral)
            {
                proxyRequest.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        proxyRequest.Headers.TryAddWithoutValidation(HeaderNames.UserAgent, $"LumaGateway/{Instrumentation.Version}");
        proxyRequest.Options.Set(AssetDownload.Key, download);
        return default;
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return false;
        }

        ForeignReasonPhrase.Remove(httpContext);
        var status = (int)proxyResponse.StatusCode;
        var headers = httpContext.Response.Headers;
        var problem = ProblemOf(status);
        if (problem is not null)
        {
            if (problem == ProblemKinds.RangeNotSatisfiable && proxyResponse.Content.Headers.ContentRange is { } range)
            {
                headers.ContentRange = range.ToString();
            }

            await ProblemWriter.WriteAsync(httpContext, problem);
            return false;
        }

        httpContext.Response.StatusCode = status;
        HeaderBytes.Copy(proxyResponse, httpContext.Response, ResponseHeaders);

        if (proxyResponse.Headers.Vary.Count > 0)
        {
            headers.Append(HeaderNames.Vary, string.Join(", ", proxyResponse.Headers.Vary)); // beside that of an allowed origin
        }

        headers.CacheControl = "private";
        headers.XContentTypeOptions = "nosniff";
        if (status is StatusCodes.Status304NotModified)
        {
            return false;
        }

        var mediaType = download.MediaType!;
        if (!MediaTypeHeaderValue.TryParse(headers.ContentType.ToString(), out var sent) || !sent.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase))
        {
            headers.ContentType = mediaType;
        }

        headers.ContentDisposition = $"attachment; filename=\"{download.Selector.FileNameOf(download.Id, mediaType)}\"";
        return !HttpMethods.IsHead(httpContext.Request.Method);
    }

    private ProblemKind? ProblemOf(int status) => status switch
    {
        StatusCodes.Status304NotModified => null,
        StatusCodes.Status412PreconditionFailed => ProblemKinds.PreconditionFailed,
        StatusCodes.Status416RangeNotSatisfiable => ProblemKinds.RangeNotSatisfiable,
        StatusCodes.Status200OK or StatusCodes.Status206PartialContent => download.MediaType is null ? ProblemKinds.AssetNotMedia : null,
        _ => download.Link is null ? ProblemKinds.AssetNotFound : ProblemKinds.AssetUnavailable, // the renewed generation may have no link
    };
}
