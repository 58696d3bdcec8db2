namespace LumaGateway.Proxy;

/// <summary>The header that Luma's official SDKs obey before all else when they decide whether to send a request again.</summary>
internal static class ShouldRetry
{
    public const string Header = "x-should-retry";

    public static void Forbid(HttpResponse response) => response.Headers[Header] = "false";
}
