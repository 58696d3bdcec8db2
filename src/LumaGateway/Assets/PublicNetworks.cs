using System.Net;
using System.Net.Sockets;

namespace LumaGateway.Assets;

/// <summary>
/// The networks of the public Internet, according to IANA's special-purpose registries (RFC 6890 and its updates). An IPv6 address that embeds an IPv4 address
/// is checked as IPv4; tunnel addresses (6to4, Teredo) are not public. Pure.
/// </summary>
internal static class PublicNetworks
{
    private static readonly IPNetwork[] NotPublic =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>The global unicast addresses of IPv6.</summary>
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>NAT64's well-known prefix (RFC 6052): the last four bytes are an IPv4 address.</summary>
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    public static bool Contains(IPAddress address)
    {
        var effective = ExtractIPv4(address);
        return (effective.AddressFamily is AddressFamily.InterNetwork || GlobalUnicast.Contains(effective)) && !NotPublic.Any(network => network.Contains(effective));
    }

    /// <summary>Returns the embedded IPv4 address of an IPv4-mapped or NAT64 address, else the address itself.</summary>
    public static IPAddress ExtractIPv4(IPAddress address) => address switch
    {
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4(),
        { AddressFamily: AddressFamily.InterNetworkV6 } when Nat64.Contains(address) => new IPAddress(address.GetAddressBytes().AsSpan(12)),
        _ => address,
    };
}
