using System.Text.RegularExpressions;

namespace LumaGateway.Upstreams.Wire;

/// <summary>Makes an upstream's text public: without addresses, hosts, secrets and control characters, and short. Pure.</summary>
internal static partial class PublicText
{
    /// <summary>The longest result, in characters.</summary>
    public const int MaxLength = 300;

    /// <summary>The longest text that is searched. The rest is dropped first.</summary>
    private const int MaxSearched = 4096;

    private const string Removed = "[removed]";

    /// <param name="text">The upstream's text.</param>
    /// <param name="secrets">Texts to remove wherever they occur.</param>
    public static string Of(string text, IEnumerable<string> secrets)
    {
        var result = text.Length > MaxSearched ? text[..MaxSearched] : text;
        foreach (var secret in secrets.Where(secret => secret.Length > 0))
        {
            result = result.Replace(secret, Removed, StringComparison.OrdinalIgnoreCase);
        }

        result = Control().Replace(result, " ");
        result = Address().Replace(result, Removed);
        result = Token().Replace(result, Removed);
        result = Host().Replace(result, Removed).Trim();
        return result.Length <= MaxLength ? result : string.Concat(result.AsSpan(0, MaxLength), "…");
    }

    /// <summary>Control characters, line ends and characters that change the direction of text.</summary>
    [GeneratedRegex(@"[\p{Cc}\p{Cf}\u2028\u2029\uD800-\uDFFF]+")]
    private static partial Regex Control();

    /// <summary>Everything with a scheme, and e-mail addresses.</summary>
    [GeneratedRegex(@"\S*(?:://|@)\S*")]
    private static partial Regex Address();

    /// <summary>What looks like a key, token, signature or id: 20 or more of its characters with a digit among them.</summary>
    [GeneratedRegex(@"(?=[A-Za-z0-9_+/=.~-]{20})(?=[A-Za-z0-9_+/=.~-]*[0-9])[A-Za-z0-9_+/=.~-]{20,}")]
    private static partial Regex Token();

    /// <summary>Host names, and IP addresses with or without a port.</summary>
    [GeneratedRegex(@"\b(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}(?::[0-9]+)?\b|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?\b|\[[0-9A-Fa-f:.]{3,}\](?::[0-9]+)?|\blocalhost(?::[0-9]+)?\b")]
    private static partial Regex Host();
}
