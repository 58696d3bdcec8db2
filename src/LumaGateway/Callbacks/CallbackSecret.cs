using LumaGateway.Telemetry;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace LumaGateway.Callbacks;

/// <summary>Request feature: the secret of the callback's original path. Its text form hides it.</summary>
internal sealed class CallbackSecret(string value)
{
    public string Value => value;

    /// <inheritdoc/>
    public override string ToString() => "***";
}

/// <summary>Replaces the secret in the path of a callback by <c>***</c>.</summary>
internal sealed class HiddenCallbackSecret(IOptions<CallbackOptions> options) : IRequestSecret
{
    private const string HiddenPath = CallbackEndpoints.RootPath + "/***";

    public bool IsInUse => options.Value.SecretFile.Length > 0;

    public void Hide(IHttpRequestFeature request, IFeatureCollection features)
    {
        if (new PathString(request.Path).StartsWithSegments(CallbackEndpoints.RootPath, StringComparison.OrdinalIgnoreCase, out var rest) && rest.Value is { Length: > 1 } secret)
        {
            request.Path = HiddenPath;
            request.RawTarget = HiddenPath;
            features.Set(new CallbackSecret(secret[1..]));
        }
    }

    public void Remove(IFeatureCollection features) => features.Set<CallbackSecret>(null);
}
