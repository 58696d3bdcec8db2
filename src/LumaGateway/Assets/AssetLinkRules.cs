using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>
/// Which links may be followed at all, told from the link alone: https, a listed host on a listed port, no credentials, no address that is not public.
/// What a name resolves to is checked when it is connected to, by <see cref="AssetConnector"/>. Holds for redirects too, and with a proxy. Thread-safe.
/// </summary>
internal sealed class AssetLinkRules(IOptions<AssetOptions> options, AssetNetworks networks)
{
    /// <summary>The CDNs that Luma's documentation and its relays' name.</summary>
    private static readonly string[] Documented = ["storage.cdn-luma.com", "*.cdn-luma.com", "imagedelivery.net"];

    private readonly bool _allowHttp = options.Value.AllowHttp;
    private readonly AllowedHost[] _hosts =
    [
        .. Documented.Concat(options.Value.AllowedHosts).Select(text => AllowedHost.TryParse(text, out var host) ? host : throw new FormatException(text)),
    ];

    /// <summary>The link, parsed. Throws <see cref="AssetRefusedException"/> where it may not be followed.</summary>
    public Uri Require(string link) => Uri.TryCreate(link, UriKind.Absolute, out var address)
        ? Require(address)
        : throw new AssetRefusedException("The link is no address.");

    /// <inheritdoc cref="Require(string)"/>
    public Uri Require(Uri link)
    {
        var isWeb = link.Scheme == Uri.UriSchemeHttps || (_allowHttp && link.Scheme == Uri.UriSchemeHttp);
        if (!isWeb)
        {
            throw new AssetRefusedException("The link's scheme is not allowed; http is with Assets:AllowHttp.");
        }

        if (link.UserInfo.Length > 0)
        {
            throw new AssetRefusedException("The link holds credentials.");
        }

        if (!_hosts.Any(host => host.Covers(link)))
        {
            throw new AssetRefusedException("The link's host or port is not listed in Assets:AllowedHosts.");
        }

        if (IPAddress.TryParse(link.IdnHost, out var address) && !networks.Hold(address))
        {
            throw new AssetRefusedException("The link names an address that is not public, nor in Assets:AllowedNetworks.");
        }

        return link;
    }
}

/// <summary>The gateway does not go where an asset's link leads. The message is for logs and holds no link.</summary>
internal sealed class AssetRefusedException(string message) : Exception(message);
