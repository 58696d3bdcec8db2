using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Callbacks;

/// <summary>
/// Replaces the secret in a callback's path before the HttpContext exists, so that no log, span or problem contains it. The endpoint reads the secret from
/// the <see cref="CallbackSecret"/> feature.
/// </summary>
internal sealed class CallbackHttpContextFactory(IHttpContextFactory inner) : IHttpContextFactory
{
    private const string HiddenPath = CallbackEndpoints.RootPath + "/***";

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        if (featureCollection.Get<IHttpRequestFeature>() is { } request
            && new PathString(request.Path).StartsWithSegments(CallbackEndpoints.RootPath, StringComparison.OrdinalIgnoreCase, out var rest) && rest.Value is { Length: > 1 } secret)
        {
            request.Path = HiddenPath;
            request.RawTarget = HiddenPath;
            featureCollection.Set(new CallbackSecret(secret[1..]));
        }

        return inner.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext)
    {
        httpContext.Features.Set<CallbackSecret>(null); // the server reuses the feature collection for the next request of the connection
        inner.Dispose(httpContext);
    }
}

/// <summary>The secret of the original path. Its text form hides it.</summary>
internal sealed class CallbackSecret(string value)
{
    public string Value => value;

    /// <inheritdoc/>
    public override string ToString() => "***";
}
