using LumaGateway.Configuration;
using Microsoft.Extensions.Options;

namespace LumaGateway.Assets;

/// <summary>How callers get the files. The set is closed.</summary>
internal enum AssetMode
{
    /// <summary>The gateway streams the file from the CDN.</summary>
    Stream,

    /// <summary>The gateway redirects to the CDN; callers need network access to it.</summary>
    Redirect,
}

/// <summary>Where the files of generations may be fetched from, and how callers get them. Bound to <c>Assets</c>.</summary>
internal sealed class AssetOptions
{
    public const string Section = "Assets";

    /// <summary><c>Stream</c>: the gateway streams the file from the CDN. <c>Redirect</c>: 307 to the upstream's link; callers need network access to the CDN.</summary>
    public AssetMode Mode { get; set; } = AssetMode.Stream;

    /// <summary>Whether generations contain the gateway's own addresses, which never expire, instead of the upstream's links; <c>expires_at</c> is then null.</summary>
    public bool RewriteUrls { get; set; }

    /// <summary>The gateway's address for callers; never taken from a request. Required for <see cref="RewriteUrls"/>.</summary>
    public string PublicUrl { get; set => field = value ?? ""; } = "";

    /// <summary>Allowed hosts of links, in addition to <c>storage.cdn-luma.com</c>, <c>*.cdn-luma.com</c> and <c>imagedelivery.net</c>: a name, <c>*.</c> and a name, or an IP address, optionally with <c>:port</c>.</summary>
    public IList<string> AllowedHosts { get; init; } = [];

    /// <summary>Networks (CIDR) that are not public, but allowed for the hosts in the list.</summary>
    public IList<string> AllowedNetworks { get; init; } = [];

    /// <summary>Whether links may be plain http.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>An egress proxy, <c>http://[user:password@]host:port</c>. If empty, no proxy is used; proxy variables of the environment are ignored.</summary>
    public string Proxy { get; set => field = value ?? ""; } = "";

    /// <summary>The timeout for connecting to a CDN, including name resolution.</summary>
    [Duration("Assets:ConnectTimeout", "00:00:00.1", "00:01:00")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a download may be inactive at either end before it is aborted.</summary>
    [Duration("Assets:IdleTimeout", "00:00:01", "01:00:00")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(100);
}

[OptionsValidator]
internal sealed partial class AssetOptionsValidator : IValidateOptions<AssetOptions>;

/// <summary>Validates <see cref="AssetOptions"/> beyond its attributes. Messages never contain the proxy's address: it may contain a password.</summary>
internal sealed class AssetOptionsRules : IValidateOptions<AssetOptions>
{
    public ValidateOptionsResult Validate(string? name, AssetOptions options)
    {
        var faults = new ValidateOptionsResultBuilder();
        if (options.PublicUrl.Length == 0 ? options.RewriteUrls : !IsBaseAddress(options.PublicUrl, "http", "https"))
        {
            faults.AddError("must be the absolute http(s) address of this gateway, without user info, query or fragment; Assets:RewriteUrls needs it.", "Assets:PublicUrl");
        }

        for (var i = 0; i < options.AllowedHosts.Count; i++)
        {
            if (!AllowedHost.TryParse(options.AllowedHosts[i], out _))
            {
                faults.AddError("must be a host name, '*.' and a host name, or an address, and may end in ':' and a port.", $"Assets:AllowedHosts:{i}");
            }
        }

        for (var i = 0; i < options.AllowedNetworks.Count; i++)
        {
            if (!System.Net.IPNetwork.TryParse(options.AllowedNetworks[i], out _))
            {
                faults.AddError("must be a network such as 10.1.0.0/16 or fd00::/8.", $"Assets:AllowedNetworks:{i}");
            }
        }

        if (options.Proxy.Length > 0 && !(Uri.TryCreate(options.Proxy, UriKind.Absolute, out var proxy) && proxy.Scheme is "http"))
        {
            faults.AddError("must be an absolute http address, such as http://proxy:3128.", "Assets:Proxy");
        }

        return faults.Build();
    }

    private static bool IsBaseAddress(string text, params string[] schemes) => Uri.TryCreate(text, UriKind.Absolute, out var address)
        && schemes.Contains(address.Scheme) && address.UserInfo.Length == 0 && address.Query.Length == 0 && address.Fragment.Length == 0;
}
