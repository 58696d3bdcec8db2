namespace LumaGateway.Proxy;

/// <summary>The response header <c>x-should-retry</c>. Luma's official SDKs check it before the status code when they decide whether to retry.</summary>
internal static class ShouldRetryHeader
{
    public const string Name = "x-should-retry";

    public static void SetFalse(HttpResponse response) => response.Headers[Name] = "false";
}
