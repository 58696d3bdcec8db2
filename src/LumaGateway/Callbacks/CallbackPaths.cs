using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Callbacks;

/// <summary>
/// Takes the secret out of a callback's path before there is a request: no log, span or problem can show what is not there. Only the endpoint can ask
/// for it.
/// </summary>
internal sealed class CallbackPaths(IHttpContextFactory inner) : IHttpContextFactory
{
    public const string Root = "/callbacks/luma";

    private const string Hidden = Root + "/***";

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        if (featureCollection.Get<IHttpRequestFeature>() is { } request
            && new PathString(request.Path).StartsWithSegments(Root, StringComparison.OrdinalIgnoreCase, out var rest) && rest.Value is { Length: > 1 } secret)
        {
            request.Path = Hidden;
            request.RawTarget = Hidden;
            featureCollection.Set(new CallbackSecret(secret[1..]));
        }

        return inner.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext)
    {
        httpContext.Features.Set<CallbackSecret>(null); // a connection's features outlive its requests
        inner.Dispose(httpContext);
    }
}

/// <summary>What stood in the path. Has no text form.</summary>
internal sealed class CallbackSecret(string value)
{
    public string Value => value;

    /// <inheritdoc/>
    public override string ToString() => "***";
}
