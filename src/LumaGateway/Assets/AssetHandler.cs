using System.Net;
using System.Text;

namespace LumaGateway.Assets;

/// <summary>
/// Requests an asset's file: follows redirects that <see cref="AssetLinkRules"/> allows, renews an expired or rejected link once, and determines the media type.
/// Throws <see cref="AssetLinkRefusedException"/> for a link that is not allowed.
/// </summary>
internal sealed class AssetHandler(HttpMessageHandler inner, AssetLinkRules rules, AssetMetrics metrics) : DelegatingHandler(inner)
{
    private const int MaxRedirects = 3;
    private const int ErrorBodyBytes = 4096;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var download = request.Options.TryGetValue(AssetDownload.Key, out var found) ? found : throw new InvalidOperationException("The request has no AssetDownload option.");
        request.Content = null; // a caller's body is not for the CDN, and could not be sent again
        var response = await FollowAsync(request, download.Link!, cancellationToken);
        if (await IsExpiredAsync(response, cancellationToken))
        {
            response.Dispose();
            metrics.Renewed();
            await download.RenewLinkAsync(cancellationToken);
            if (download.Link is not { } link)
            {
                return new HttpResponseMessage(HttpStatusCode.NotFound) { RequestMessage = request };
            }

            response = await FollowAsync(request, link, cancellationToken);
        }

        if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent)
        {
            download.MediaType = await MediaTypeOfAsync(download.Media, request, response, cancellationToken);
        }

        return response;
    }

    /// <summary>Returns null if the file is not of the kind. Requests the first bytes of the file if they are needed and the response does not contain them.</summary>
    private async Task<string?> MediaTypeOfAsync(string? media, HttpRequestMessage request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (AssetMediaType.OfHeader(response.Content.Headers) is not AssetMediaType.Unspecified and var type)
        {
            return type;
        }

        try
        {
            if (FirstBytesReader.IsAtStart(request.Method, response))
            {
                return AssetMediaType.OfFirstBytes(media, await FirstBytesReader.ReadAsync(response, cancellationToken));
            }

            using var firstRequest = FirstBytesReader.RequestFor(request);
            using var first = await base.SendAsync(firstRequest, cancellationToken);
            return first.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent
                ? AssetMediaType.OfFirstBytes(media, await FirstBytesReader.ReadAsync(first, cancellationToken))
                : null;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request, string link, CancellationToken cancellationToken)
    {
        request.RequestUri = rules.EnsureAllowed(link);
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendWithHeadFallbackAsync(request, cancellationToken);
            if (!IsRedirect(response.StatusCode) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            if (redirects == MaxRedirects)
            {
                throw new AssetLinkRefusedException("The link redirects more than 3 times.");
            }

            request.RequestUri = rules.EnsureAllowed(new Uri(request.RequestUri, location));
        }
    }

    /// <summary>Sends a GET if a HEAD is rejected: a link that is signed for GET rejects HEAD. Callers do not read the body.</summary>
    private async Task<HttpResponseMessage> SendWithHeadFallbackAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (request.Method != HttpMethod.Head
            || response.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented))
        {
            return response;
        }

        response.Dispose();
        request.Method = HttpMethod.Get;
        return await base.SendAsync(request, cancellationToken);
    }

    /// <summary>True if the link may have expired. Storage services respond with 401 (R2), 403, 404 or 410, or with 400 and the reason in the body (S3, GCS).</summary>
    private static async Task<bool> IsExpiredAsync(HttpResponseMessage response, CancellationToken cancellationToken) => response.StatusCode switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Gone => true,
        HttpStatusCode.BadRequest => await ReportsExpiryAsync(response.Content, cancellationToken),
        _ => false,
    };

    /// <summary>Reads only the beginning of the body, which no caller gets.</summary>
    private static async Task<bool> ReportsExpiryAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var buffer = new byte[ErrorBodyBytes];
        await using var body = await content.ReadAsStreamAsync(cancellationToken);
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return Encoding.Latin1.GetString(buffer, 0, length).Contains("expired", StringComparison.OrdinalIgnoreCase);
    }

    private static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found
        or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
}
