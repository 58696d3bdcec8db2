using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LumaGateway.Assets;

/// <summary>An entry of <c>Assets:AllowedHosts</c>.</summary>
/// <param name="Name">A host name or an IP address; for a wildcard, the domain without <c>*.</c></param>
/// <param name="IsWildcard">Whether the entry matches the subdomains of the name, and not the name itself.</param>
/// <param name="Port">The port; null for the scheme's default port.</param>
internal sealed record AllowedHost(string Name, bool IsWildcard, int? Port)
{
    public static bool TryParse(string? text, [NotNullWhen(true)] out AllowedHost? host)
    {
        host = null;
        if (text is null)
        {
            return false; // a null in a settings file
        }

        var isWildcard = text.StartsWith("*.", StringComparison.Ordinal);
        var rest = isWildcard ? text[2..] : text;
        int? port = null;
        if (rest.LastIndexOf(':') is > 0 and var colon && !rest.EndsWith(']'))
        {
            if (!int.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var given) || given is < 1 or > 65535)
            {
                return false;
            }

            (port, rest) = (given, rest[..colon]);
        }

        var kind = Uri.CheckHostName(rest);
        if (kind is UriHostNameType.Unknown or UriHostNameType.Basic || rest.EndsWith('.') || (isWildcard && kind is not UriHostNameType.Dns))
        {
            return false;
        }

        host = new AllowedHost(new UriBuilder("https", rest).Uri.IdnHost, isWildcard, port);
        return true;
    }

    public bool Matches(Uri link)
    {
        var name = link.IdnHost;
        var isNameMatch = IsWildcard
            ? name.Length > Name.Length + 1 && name.EndsWith(Name, StringComparison.OrdinalIgnoreCase) && name[^(Name.Length + 1)] == '.'
            : name.Equals(Name, StringComparison.OrdinalIgnoreCase);

        return isNameMatch && (Port is { } port ? link.Port == port : link.IsDefaultPort);
    }
}
