using System.Text;

namespace LumaGateway.Upstreams;

/// <summary>
/// Header values between two sides. A value may hold any byte from 0x80 on (RFC 9110, section 5.5): it passes as the byte that it is, in the form
/// of Latin-1 text, in which every HTTP client and server of the gateway reads and writes headers.
/// </summary>
internal static class HeaderBytes
{
    public static Encoding Encoding => Encoding.Latin1;

    /// <summary>A caller's value as its own bytes: Kestrel has read them as UTF-8.</summary>
    public static string OfCaller(string value) => Ascii.IsValid(value) ? value : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(value));

    /// <summary>Whether the value can be sent at all: a control character other than a tab would fail the exchange.</summary>
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
