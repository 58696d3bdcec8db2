using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Telemetry;

/// <summary>Hides secrets in the addresses of requests before the HttpContext exists, so that no log, span or problem contains them.</summary>
internal sealed class SecretHttpContextFactory(IHttpContextFactory inner, IRequestSecret[] secrets) : IHttpContextFactory
{
    /// <summary>Returns the framework's factory if no secret is in use, because the framework pools HttpContexts only with its own.</summary>
    public static IHttpContextFactory Create(IServiceProvider services)
    {
        var framework = new DefaultHttpContextFactory(services);
        var secrets = services.GetServices<IRequestSecret>().Where(secret => secret.IsInUse).ToArray();
        return secrets.Length > 0 ? new SecretHttpContextFactory(framework, secrets) : framework;
    }

    public HttpContext Create(IFeatureCollection featureCollection)
    {
        if (featureCollection.Get<IHttpRequestFeature>() is { } request)
        {
            foreach (var secret in secrets)
            {
                secret.Hide(request, featureCollection);
            }
        }

        return inner.Create(featureCollection);
    }

    public void Dispose(HttpContext httpContext)
    {
        foreach (var secret in secrets)
        {
            secret.Remove(httpContext.Features);
        }

        inner.Dispose(httpContext);
    }
}
