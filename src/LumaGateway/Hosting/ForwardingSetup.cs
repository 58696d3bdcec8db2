using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Makes the framework trust the proxies of <see cref="ForwardingOptions"/>, and no proxy that it trusts by default.</summary>
internal sealed class ForwardingSetup(IOptions<ForwardingOptions> options) : IPostConfigureOptions<ForwardedHeadersOptions>
{
    public void PostConfigure(string? name, ForwardedHeadersOptions headers)
    {
        var trusted = options.Value;
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var proxy in trusted.KnownProxies)
        {
            headers.KnownProxies.Add(IPAddress.Parse(proxy));
        }

        foreach (var network in trusted.KnownNetworks)
        {
            headers.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));
        }

        // With two empty lists the framework trusts every proxy.
        headers.ForwardedHeaders = trusted.KnownProxies.Count + trusted.KnownNetworks.Count > 0
            ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto
            : ForwardedHeaders.None;
        headers.ForwardLimit = trusted.Limit;
    }
}
