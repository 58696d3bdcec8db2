using System.Diagnostics;
using System.Net;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>The one pool of connections to the CDNs: no cookies, no credentials, no trace headers, no proxy but the one that is set.</summary>
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
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // so that a change in DNS is seen, and checked
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
