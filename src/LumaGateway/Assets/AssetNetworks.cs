using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>Which addresses a listed host may be at: public ones, and those of <c>Assets:AllowedNetworks</c>. Thread-safe.</summary>
internal sealed class AssetNetworks(IOptions<AssetOptions> options)
{
    private readonly IPNetwork[] _allowed = [.. options.Value.AllowedNetworks.Select(IPNetwork.Parse)];

    public bool Hold(IPAddress address)
    {
        var plain = PublicNetworks.Plain(address);
        return PublicNetworks.Hold(address) || _allowed.Any(network => network.Contains(plain));
    }
}
