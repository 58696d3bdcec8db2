using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>Has the framework believe the proxies of <see cref="ForwardingOptions"/>, and takes out those that it believes by itself.</summary>
internal sealed class ForwardingSetup(IOptions<ForwardingOptions> options) : IPostConfigureOptions<ForwardedHeadersOptions>
{
    public void PostConfigure(string? name, ForwardedHeadersOptions headers)
    {
        var known = options.Value;
        headers.KnownProxies.Clear();
        headers.KnownIPNetworks.Clear();
        foreach (var proxy in known.KnownProxies)
        {
            headers.KnownProxies.Add(IPAddress.Parse(proxy));
        }

        foreach (var network in known.KnownNetworks)
        {
            headers.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));
        }

        // Two empty lists would mean to the framework that everybody is believed.
        headers.ForwardedHeaders = known.KnownProxies.Count + known.KnownNetworks.Count > 0
            ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto
            : ForwardedHeaders.None;
        headers.ForwardLimit = known.Limit;
    }
}
