using System.Text;

namespace LumaGateway.Upstreams;

/// <summary>
/// Forwards header values byte by byte. A value may contain bytes above 0x7F (RFC 9110, section 5.5). Every HTTP client and server of the gateway reads
/// and writes headers as Latin-1, so a character of a value is a byte.
/// </summary>
internal static class HeaderBytes
{
    public static Encoding Encoding => Encoding.Latin1;

    /// <summary>Converts a value that Kestrel has decoded as UTF-8 back into its bytes.</summary>
    public static string OfCaller(string value) => Ascii.IsValid(value) ? value : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value));

    /// <summary>Whether the value can be sent: the HTTP client rejects control characters other than a tab.</summary>
    public static bool CanBeSent(string value)
    {
        foreach (var character in value)
        {
            if (character is (< ' ' and not '\t') or '\x7F' or > '\xFF')
            {
                return false;
            }
        }

        return true;
    }
}
