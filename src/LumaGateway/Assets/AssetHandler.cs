using System.Net;

namespace LumaGateway.Assets;

/// <summary>
/// Finds an asset's bytes: follows redirects within the rules, and where the link turns out expired or refused gets a new one, once. Throws
/// <see cref="AssetRefusedException"/> where it leads somewhere else.
/// </summary>
internal sealed class AssetHandler(HttpMessageHandler inner, AssetLinkRules rules, AssetMetrics metrics) : DelegatingHandler(inner)
{
    private const int MaxRedirects = 3;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var fetch = request.Options.TryGetValue(AssetFetch.Key, out var found) ? found : throw new InvalidOperationException("The request is no asset's.");
        var response = await FollowAsync(request, fetch.Link!, cancellationToken);
        if (!IsGone(response.StatusCode))
        {
            return response;
        }

        response.Dispose();
        metrics.Renewed();
        await fetch.RenewAsync(cancellationToken);
        return fetch.Link is { } link
            ? await FollowAsync(request, link, cancellationToken)
            : new HttpResponseMessage(HttpStatusCode.NotFound) { RequestMessage = request };
    }

    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request, string link, CancellationToken cancellationToken)
    {
        request.RequestUri = rules.Require(link);
        for (var redirects = 0; ; redirects++)
        {
            var response = await AskAsync(request, cancellationToken);
            if (!IsRedirect(response.StatusCode) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            if (redirects == MaxRedirects)
            {
                throw new AssetRefusedException("The link redirects too often.");
            }

            request.RequestUri = rules.Require(new Uri(request.RequestUri, location));
        }
    }

    /// <summary>A link that is signed for GET refuses HEAD: then the headers of a GET are as good.</summary>
    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (request.Method != HttpMethod.Head
            || response.StatusCode is not (HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented))
        {
            return response;
        }

        response.Dispose();
        request.Method = HttpMethod.Get;
        return await base.SendAsync(request, cancellationToken);
    }

    private static bool IsGone(HttpStatusCode status) => status is HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.Gone;

    private static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found
        or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
}
