using Microsoft.AspNetCore.Http.Features;

namespace LumaGateway.Telemetry;

/// <summary>Hides one kind of secret that is part of a request's address. <see cref="SecretHttpContextFactory"/> calls it.</summary>
internal interface IRequestSecret
{
    /// <summary>Whether the settings allow requests with such a secret.</summary>
    bool IsInUse { get; }

    /// <summary>Removes the secret from the address of the request and stores it as a feature, for the code that checks it.</summary>
    void Hide(IHttpRequestFeature request, IFeatureCollection features);

    /// <summary>Removes the feature: the server reuses the collection for the next request of the connection.</summary>
    void Remove(IFeatureCollection features);
}
