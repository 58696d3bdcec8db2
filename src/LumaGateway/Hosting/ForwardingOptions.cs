using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// The proxies in front whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed. Bound to <c>ForwardedHeaders</c>. Without any,
/// nobody is believed, the loopback address included.
/// </summary>
internal sealed class ForwardingOptions
{
    public const string Section = "ForwardedHeaders";

    /// <summary>Addresses of single proxies.</summary>
    public IList<string> KnownProxies { get; init; } = [];

    /// <summary>Networks of proxies, such as <c>10.0.0.0/8</c>.</summary>
    public IList<string> KnownNetworks { get; init; } = [];

    /// <summary>How many proxies stand in a row: so many entries are read, from the right.</summary>
    public int Limit { get; set; } = 1;
}

/// <summary>Whether every proxy is an address, and every network a network.</summary>
internal sealed class ForwardingOptionsRules : IValidateOptions<ForwardingOptions>
{
    public ValidateOptionsResult Validate(string? name, ForwardingOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        for (var i = 0; i < options.KnownProxies.Count; i++)
        {
            if (!IPAddress.TryParse(options.KnownProxies[i], out _))
            {
                faults.AddError("must be an IP address.", $"ForwardedHeaders:KnownProxies:{i}");
            }
        }

        for (var i = 0; i < options.KnownNetworks.Count; i++)
        {
            if (!IPNetwork.TryParse(options.KnownNetworks[i], out _))
            {
                faults.AddError("must be a network, such as 10.0.0.0/8.", $"ForwardedHeaders:KnownNetworks:{i}");
            }
        }

        if (options.Limit is < 1 or > 10)
        {
            faults.AddError("must be between 1 and 10.", "ForwardedHeaders:Limit");
        }

        return faults.Build();
    }
}
