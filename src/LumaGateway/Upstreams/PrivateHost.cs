using System.Net;

namespace LumaGateway.Upstreams;

/// <summary>Recognizes hosts of a private network by their address or name, without a DNS lookup. Pure.</summary>
internal static class PrivateHost
{
    /// <summary>RFC 1918, 3927, 4193, 4291 and 6598, and loopback.</summary>
    private static readonly IPNetwork[] Networks =
    [
        .. new[] { "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7", "fe80::/10" }
            .Select(IPNetwork.Parse),
    ];

    /// <summary>Domains that are not in public DNS (RFC 6761, 6762, 8375; ICANN's <c>internal</c>), and <c>svc</c> of Kubernetes.</summary>
    private static readonly string[] Suffixes = [".localhost", ".local", ".internal", ".home.arpa", ".svc", ".test", ".invalid"];

    public static bool Is(Uri address)
    {
        if (address.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6)
        {
            var ip = IPAddress.Parse(address.DnsSafeHost);
            var plain = ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip;
            return Networks.Any(network => network.Contains(plain));
        }

        var host = address.IdnHost.TrimEnd('.');
        return !host.Contains('.', StringComparison.Ordinal) // a name without a dot, such as a container's
            || Suffixes.Any(suffix => host.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));
    }
}
