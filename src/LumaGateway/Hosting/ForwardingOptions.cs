using System.Net;
using Microsoft.Extensions.Options;

namespace LumaGateway.Hosting;

/// <summary>
/// The proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are trusted. Bound to <c>ForwardedHeaders</c>. By default no proxy is trusted,
/// not even on the loopback address.
/// </summary>
internal sealed class ForwardingOptions
{
    public const string Section = "ForwardedHeaders";

    /// <summary>Addresses of proxies whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are used. Without any, no proxy is trusted, not even on loopback.</summary>
    public IList<string> KnownProxies { get; init; } = [];

    /// <summary>Networks of proxies, such as <c>10.0.0.0/8</c>.</summary>
    public IList<string> KnownNetworks { get; init; } = [];

    /// <summary>The number of entries of a header that are read, from the right: one for each proxy in the chain, 1 to 10.</summary>
    public int Limit { get; set; } = 1;
}

/// <summary>Checks that every proxy is an IP address and every network is in CIDR notation.</summary>
internal sealed class ForwardingOptionsRules : IValidateOptions<ForwardingOptions>
{
    public ValidateOptionsResult Validate(string? name, ForwardingOptions options)
    {
        var errors = new ValidateOptionsResultBuilder();
        for (var i = 0; i < options.KnownProxies.Count; i++)
        {
            if (!IPAddress.TryParse(options.KnownProxies[i], out _))
            {
                errors.AddError("must be an IP address.", $"ForwardedHeaders:KnownProxies:{i}");
            }
        }

        for (var i = 0; i < options.KnownNetworks.Count; i++)
        {
            if (!IPNetwork.TryParse(options.KnownNetworks[i], out _))
            {
                errors.AddError("must be a network, such as 10.0.0.0/8.", $"ForwardedHeaders:KnownNetworks:{i}");
            }
        }

        if (options.Limit is < 1 or > 10)
        {
            errors.AddError("must be between 1 and 10.", "ForwardedHeaders:Limit");
        }

        return errors.Build();
    }
}
