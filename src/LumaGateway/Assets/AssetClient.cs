using System.Diagnostics;
using System.Net;
using LumaGateway.Upstreams;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Forwarder;

namespace LumaGateway.Assets;

/// <summary>
/// Downloads from CDNs with YARP. It sends no cookies, credentials or trace headers, and uses no proxy except <c>Assets:Proxy</c>. Thread-safe.
/// </summary>
internal sealed class AssetClient : IDisposable
{
    /// <summary>YARP requires a destination. <see cref="AssetHandler"/> replaces it with the link.</summary>
    private const string UnusedDestination = "https://asset.invalid/";

    private readonly IHttpForwarder _forwarder;
    private readonly ForwarderRequestConfig _config;
    private readonly HttpMessageInvoker _invoker;

    public AssetClient(IHttpForwarder forwarder, AssetConnector connector, AssetLinkRules rules, AssetMetrics metrics, IOptions<AssetOptions> options)
    {
        _forwarder = forwarder;
        _config = new ForwarderRequestConfig { ActivityTimeout = options.Value.IdleTimeout };
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
        _invoker = new HttpMessageInvoker(new AssetHandler(sockets, rules, metrics));
    }

    /// <summary>Sends the file to the caller. A failure leaves its exception in <see cref="IForwarderErrorFeature"/>.</summary>
    public ValueTask<ForwarderError> SendAsync(HttpContext context, AssetDownload download) =>
        _forwarder.SendAsync(context, UnusedDestination, _invoker, _config, new AssetTransformer(download));

    public void Dispose() => _invoker.Dispose();

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
