using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace LumaGateway.Assets;

/// <summary>One line of the list of hosts: a name, all names below one, or an address; on the scheme's own port unless it names another.</summary>
internal sealed record AllowedHost(string Name, bool IsBelow, int? Port)
{
    public static bool TryParse(string text, [NotNullWhen(true)] out AllowedHost? host)
    {
        host = null;
        var isBelow = text.StartsWith("*.", StringComparison.Ordinal);
        var rest = isBelow ? text[2..] : text;
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
        if (kind is UriHostNameType.Unknown or UriHostNameType.Basic || rest.EndsWith('.') || (isBelow && kind is not UriHostNameType.Dns))
        {
            return false;
        }

        host = new AllowedHost(new UriBuilder("https", rest).Uri.IdnHost, isBelow, port);
        return true;
    }

    public bool Covers(Uri link)
    {
        var name = link.IdnHost;
        var isNamed = IsBelow
            ? name.Length > Name.Length + 1 && name.EndsWith(Name, StringComparison.OrdinalIgnoreCase) && name[^(Name.Length + 1)] == '.'
            : name.Equals(Name, StringComparison.OrdinalIgnoreCase);

        return isNamed && (Port is { } port ? link.Port == port : link.IsDefaultPort);
    }
}
