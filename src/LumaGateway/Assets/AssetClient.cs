using System.Diagnostics;
using System.Net;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>The HTTP client for CDNs. It sends no cookies, credentials or trace headers, and uses no proxy except <c>Assets:Proxy</c>.</summary>
internal sealed class AssetClient : IDisposable
{
    public AssetClient(AssetConnector connector, AssetLinkRules rules, AssetMetrics metrics, IOptions<AssetOptions> options)
    {
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ConnectTimeout = options.Value.ConnectTimeout,
            ConnectCallback = connector.ConnectAsync,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // applies DNS changes, and checks the new addresses
            EnableMultipleHttp2Connections = true,
            MaxResponseHeadersLength = 32, // KiB
            RequestHeaderEncodingSelector = static (_, _) => HeaderBytes.Encoding,
            ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
            UseProxy = options.Value.Proxy.Length > 0,
            Proxy = ProxyOf(options.Value.Proxy),
        };
        Invoker = new HttpMessageInvoker(new AssetHandler(sockets, rules, metrics));
    }

    public HttpMessageInvoker Invoker { get; }

    public void Dispose() => Invoker.Dispose();

    private static WebProxy? ProxyOf(string text)
    {
        if (text.Length == 0)
        {
            return null;
        }

        var address = new Uri(text);
        var user = address.UserInfo.Split(':', 2);
        return new WebProxy(EgressProxy.WithoutUser(address))
        {
            Credentials = address.UserInfo.Length > 0
                ? new NetworkCredential(Uri.UnescapeDataString(user[0]), Uri.UnescapeDataString(user.ElementAtOrDefault(1) ?? string.Empty))
                : null,
        };
    }
}
