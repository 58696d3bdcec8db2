using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Upstreams;

/// <summary>The reason phrase of an upstream's or a CDN's response, which YARP copies to the caller's response in HTTP/1.1.</summary>
internal static class ForeignReasonPhrase
{
    /// <summary>Restores the standard phrase of the status. Clients ignore the phrase (RFC 9112, section 4), and that of an upstream may name its account.</summary>
    public static void Remove(HttpContext context) => context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = null;
}
