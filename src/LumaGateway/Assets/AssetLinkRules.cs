using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>
/// Checks a link before the gateway follows it: https, an allowed host and port, no credentials, no private IP address. <see cref="AssetConnector"/> checks the
/// address that a name resolves to. The rules apply to redirects, and with a proxy too. Thread-safe.
/// </summary>
internal sealed class AssetLinkRules(IOptions<AssetOptions> options, AssetNetworks networks)
{
    /// <summary>The CDNs in the documentation of Luma and of its relays.</summary>
    private static readonly string[] Documented = ["storage.cdn-luma.com", "*.cdn-luma.com", "imagedelivery.net"];

    private readonly bool _allowHttp = options.Value.AllowHttp;
    private readonly AllowedHost[] _hosts =
    [
        .. Documented.Concat(options.Value.AllowedHosts).Select(text => AllowedHost.TryParse(text, out var host) ? host : throw new FormatException(text)),
    ];

    /// <summary>Returns the parsed link. Throws <see cref="AssetLinkRefusedException"/> if it is not allowed.</summary>
    public Uri EnsureAllowed(string link) => Uri.TryCreate(link, UriKind.Absolute, out var address)
        ? EnsureAllowed(address)
        : throw new AssetLinkRefusedException("The link is not an absolute URL.");

    /// <inheritdoc cref="EnsureAllowed(string)"/>
    public Uri EnsureAllowed(Uri link)
    {
        var isSchemeAllowed = link.Scheme == Uri.UriSchemeHttps || (_allowHttp && link.Scheme == Uri.UriSchemeHttp);
        if (!isSchemeAllowed)
        {
            throw new AssetLinkRefusedException("The link's scheme is not allowed. Assets:AllowHttp allows http.");
        }

        if (link.UserInfo.Length > 0)
        {
            throw new AssetLinkRefusedException("The link contains credentials.");
        }

        if (!_hosts.Any(host => host.Matches(link)))
        {
            throw new AssetLinkRefusedException("The link's host or port is not listed in Assets:AllowedHosts.");
        }

        if (IPAddress.TryParse(link.IdnHost, out var address) && !networks.Contains(address))
        {
            throw new AssetLinkRefusedException("The link's IP address is neither public nor in Assets:AllowedNetworks.");
        }

        return link;
    }
}

/// <summary>An asset's link, or a redirect of it, is not allowed. The message is logged, so it contains no link.</summary>
internal sealed class AssetLinkRefusedException(string message) : Exception(message);
