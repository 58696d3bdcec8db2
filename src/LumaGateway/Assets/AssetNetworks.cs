using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>The addresses that assets may be fetched from: public ones, and those in <c>Assets:AllowedNetworks</c>. Thread-safe.</summary>
internal sealed class AssetNetworks(IOptions<AssetOptions> options)
{
    private readonly IPNetwork[] _allowed = [.. options.Value.AllowedNetworks.Select(IPNetwork.Parse)];

    public bool Contains(IPAddress address)
    {
        var effective = PublicNetworks.ExtractIPv4(address);
        return PublicNetworks.Contains(address) || _allowed.Any(network => network.Contains(effective));
    }
}
